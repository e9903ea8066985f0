"""HTTP/1.1 as far as a JSON service needs it: the head of a request from bytes, a response to bytes. Strict, so that no
proxy in between can read a request in another way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from engine.api.errors import RequestError

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's head."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSION = re.compile(r"HTTP/\d\.\d")
_UNSEEN = re.compile("[\0\r\n]")
_ABSOLUTE = re.compile(r"(?i)https?://[^/?#]*")
_LENGTH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a body of `length` bytes; `headers` have lower-case names, `keep` is whether the connection
    may go on afterwards, `waits` that the client wants a word before it sends the body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    protocol: str
    length: int
    keep: bool
    waits: bool


def read_head(raw: bytes) -> Head:
    """The head without the empty line at its end; raises `RequestError` 400, 411, 501 and 505."""
    text = raw.decode("latin-1")
    line, *fields = text.split("\r\n")
    method, target, protocol = _request_line(line)
    if "\0" in text or not text.count("\r") == text.count("\n") == len(fields):
        raise _no_header()
    headers = _headers(fields)
    connection = headers.get("connection", "").lower()
    return Head(
        method=method,
        target=target,
        headers=headers,
        protocol=protocol,
        length=_length(headers),
        keep="close" not in connection and (protocol != "HTTP/1.0" or "keep-alive" in connection),
        waits=headers.get("expect", "").lower() == "100-continue",
    )


def invalid(status: int, message: str) -> RequestError:
    return RequestError(status, "http_invalid", message)


def head_too_large(raw: bytes | bytearray) -> RequestError:
    """For bytes over the limit that are no whole head yet."""
    if b"\r\n" in raw[:HEAD_LIMIT]:
        return invalid(431, f"the headers are longer than {HEAD_LIMIT // 1024} KB")
    return invalid(414, f"the request line is longer than {HEAD_LIMIT // 1024} KB")


def rendered(response: Mapping[str, Any], *, method: str, keep: bool) -> bytes:
    """A proxy response as it goes over the wire."""
    status, body = response["statusCode"], response["body"].encode("utf-8")
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: misaki", f"Date: {_dates.now()}"]
    lines += [f"{name}: {value}" for name, value in response["headers"].items()]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(body)}")
    if not keep:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return head if method == "HEAD" else head + body


def _request_line(line: str) -> tuple[str, str, str]:
    words = line.split(" ")
    if len(words) != 3 or not _VERSION.fullmatch(words[2]) or not words[1]:
        raise invalid(400, "the request line is not `METHOD target HTTP/1.1`")
    method, target, protocol = words
    if not protocol.startswith("HTTP/1."):
        raise invalid(505, "this server speaks HTTP/1.1")
    if method not in _METHODS:
        raise invalid(501, "the method is not supported")
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        target = target[absolute.end() :] or "/"
    if not target.startswith(("/", "?", "*")) or _UNSEEN.search(target):
        raise invalid(400, "the request target is no path")
    return method, target, protocol


def _headers(fields: list[str]) -> dict[str, str]:
    """Those that came twice are joined as HTTP has it."""
    headers: dict[str, str] = {}
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise _no_header()
        key, value = name.lower(), value.strip(" \t")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _no_header() -> RequestError:
    return invalid(400, "a header is not `Name: value`")


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise RequestError(411, "content_length_missing", "send the body with a Content-Length and not in chunks")
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) <= _LENGTH_DIGITS):
        raise RequestError(400, "content_length_invalid", "the Content-Length is no number of bytes")
    return int(declared)


class _Dates:
    """The `Date` header, worked out once a second."""

    def __init__(self) -> None:
        self._known = (0, "")

    def now(self) -> str:
        second = int(time.time())
        known = self._known
        if known[0] != second:
            self._known = known = (second, formatdate(second, usegmt=True))
        return known[1]


_dates = _Dates()
