"""Decides which requests a server on one's own machine answers, by `Host`, `Origin` and where they come from.

A page of any site can send requests to this machine: with a name of its own that it lets point here (DNS rebinding), or
as a form, which no browser asks about first. So a server on loopback answers for its own names only, and unless
`ALLOWED_ORIGINS` says otherwise, pages of this machine alone may call it, on whatever port they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.core.record import record

_FORWARDED = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
"""Headers of proxies, beside those whose names begin with `x-forwarded`."""
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.%]+\])(?::\d*)?")
_SAFE = frozenset({"GET", "HEAD"})


@record
class Access:
    """`host` is the address that the server listens on. `origins` are those named by `ALLOWED_ORIGINS`; where they are
    `None`, pages of this machine may call.
    """

    host: str
    origins: tuple[str, ...] | None = None

    @classmethod
    def from_env(cls, host: str, env: Mapping[str, str]) -> Access:
        named = bool(env.get("ALLOWED_ORIGINS", "").strip())
        return cls(host=host, origins=Policy.from_env(env).origins if named else None)

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raises `RequestError`: 421 for a `Host` of another server, 403 for a page that may not call."""
        host = _host_of(headers)
        if headers.get("host") and not self._answers_for(host):
            message = "this server answers for localhost only: call it by that name, or name yours in ALLOWED_ORIGINS"
            raise RequestError(421, "host_unknown", message)
        origin = headers.get("origin")
        # Browsers send `Origin` with every request that could do something; what a page only looks at may lack it.
        foreign = origin is None and _crosses_sites(headers) and method not in _SAFE
        if foreign or (origin is not None and not self._may_call(origin, host)):
            message = "pages of this origin may not call this server: name the origin in ALLOWED_ORIGINS"
            raise RequestError(403, "origin_forbidden", message)

    def is_local(self, peer: str, headers: Mapping[str, str]) -> bool:
        """Whether somebody at this machine asks: neither a page of another site, nor a proxy for somebody else."""
        names = (_host_of(headers), _name_of(headers.get("origin", "//localhost")))
        forwarded = any(name in _FORWARDED or name.startswith("x-forwarded") for name in headers)
        return _is_loopback(peer) and all(map(_is_loopback, names)) and not forwarded and not _crosses_sites(headers)

    def _answers_for(self, name: str) -> bool:
        if not _is_loopback(self.host) or _is_loopback(name) or name == self.host.lower():
            return True
        return any(name == _name_of(origin) for origin in self.origins or ())

    def _may_call(self, origin: str, host: str) -> bool:
        if self.origins is not None:
            return "*" in self.origins or origin in self.origins
        name = _name_of(origin)
        # A page that this very server could have sent; a name may be one that was made to point here.
        return _is_loopback(name) or (_is_address(name) and name == host)


def _host_of(headers: Mapping[str, str]) -> str:
    """The name in `Host`; empty where something other than a name and a port stands there."""
    host = headers.get("host", "")
    return _name_of(f"//{host}") if _HOST.fullmatch(host) else ""


def _crosses_sites(headers: Mapping[str, str]) -> bool:
    return headers.get("sec-fetch-site", "").strip().lower() == "cross-site"


def _name_of(url: str) -> str:
    """The host in `url`, in lower case, without port and brackets; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
