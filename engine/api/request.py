"""A request to the API as every host hands it over, its body still unopened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.api.errors import RequestError
from engine.core.record import field, record

PLAIN = ("chat", "health")
"""Last words of the paths for which no table is read: a first reply need not wait for it."""


@record
class Request:
    """`path` has no base path and no slash at its end, `headers` have lower-case names; `body` is still encoded.

    `direct` is a request without HTTP, which AWS itself let in and whose body is the payload; `local` one from the very
    machine that serves it; `peer` is the address that it came from last. `refusal` is why its host knows it to hold
    no turn.
    """

    method: str = "POST"
    path: str = "/chat"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    base64: bool = False
    direct: bool = False
    local: bool = False
    peer: str = ""
    refusal: RequestError | None = None


def address_of(request: Request, proxies: int) -> str:
    """The address of the client behind so many proxies of one's own, each of which names the one before it."""
    named = [part for part in map(str.strip, request.headers.get("x-forwarded-for", "").split(",")) if part]
    way = named if named[-1:] == [request.peer] else [*named, request.peer]
    return way[max(-1 - proxies, -len(way))]


def path_without_base(path: str, *, base: str = "") -> str:
    """The path as the API knows it, without what stands before it; `/` for the base path alone, where it is known.

    What stands before it is a stage, the mapping of a custom domain, or the pattern of a CloudFront behaviour.
    """
    parts = [part for part in path.split("/") if part]
    if parts and parts[-1] in PLAIN and parts[-2:-1] != ["memory"]:
        return f"/{parts[-1]}"
    from engine.api.routes import find_path  # noqa: PLC0415  a turn needs no table

    found = find_path(parts)
    if found is not None:
        return "/" + "/".join(found[1])
    return "/" if not parts or parts == [base] else "/" + "/".join(parts)
