"""Verifies OpenID Connect access tokens, Cognito's and others': RS256 alone, one issuer, clients that are named.

The order is: form, issuer, signature, time, audience, purpose. A token of another issuer never makes us fetch keys. No
message holds a part of a token.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from engine.core.deadline import Deadline
from engine.core.errors import SettingsError
from engine.core.record import record
from engine.core.turn import Principal
from engine.identity.gate import NotIdentified
from engine.identity.keys import IssuerKeys, KeysUnavailable, decoded, key_server
from engine.models.http.address import is_address
from engine.text.cleaning import clean

LONGEST = 16_384
"""Characters of a token. Identity providers put groups and roles into tokens, and load balancers allow 16 KB."""
LONGEST_NAME = 40
NAMES = ("name", "nickname", "given_name", "preferred_username")
"""Claims that say how a user is called, in order of preference; `username` is often an identifier."""

_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_OF_ID_TOKENS = frozenset({"at_hash", "c_hash", "nonce"})
"""Claims of id tokens (OpenID Connect Core, 2 and 3.3.2.11) that no access token has."""


def verifier_from_env(env: Mapping[str, str]) -> Verifier:
    """Reads `AUTH_ISSUER`, `AUTH_CLIENT_IDS` and `AUTH_JWKS_URL`; raises `SettingsError`."""
    issuer = env.get("AUTH_ISSUER", "").strip()
    clients = frozenset(re.split(r"[\s,]+", env.get("AUTH_CLIENT_IDS", "").strip())) - {""}
    url = env.get("AUTH_JWKS_URL", "").strip() or f"{issuer.rstrip('/')}/.well-known/jwks.json"
    if not is_address(issuer):
        raise SettingsError("AUTH_ISSUER must be the https address of the issuer, as its tokens write it in `iss`")
    if not clients:
        raise SettingsError("AUTH_CLIENT_IDS must name the clients that may sign in, separated by commas")
    if not _is_safe(url):
        raise SettingsError("AUTH_JWKS_URL must be the https address of the issuer's keys")
    return Verifier(issuer=issuer, clients=clients, keys=IssuerKeys(key_server(url)))


def _is_safe(url: str) -> bool:
    """Whether nobody on the way can put keys of his own in place: https, or a server on this very machine."""
    parts = urlsplit(url)
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return is_address(url) and (parts.scheme == "https" or is_here)


@record
class Verifier:
    """`now` is the time in seconds since 1970."""

    issuer: str
    clients: frozenset[str]
    keys: IssuerKeys
    now: Callable[[], float] = time.time

    def verify(self, token: str, deadline: Deadline | None = None) -> Principal:
        """The user whom `token` names; raises `NotIdentified` with one reason."""
        header, claims, signed, signature = _opened(token)
        issuer, subject = claims.get("iss"), claims.get("sub")
        if issuer != self.issuer:
            raise NotIdentified("token_wrong_issuer", "this token comes from another issuer")
        self._check_signature(header, signed, signature, deadline)
        self._check_time(claims)
        self._check_audience(claims)
        _check_purpose(claims)
        if not isinstance(subject, str) or not subject:
            raise _malformed()
        identifier = sha256(f"{self.issuer}\n{subject}".encode()).hexdigest()[:32]
        return Principal(kind="user", id=identifier, name=_name(claims))

    def _check_signature(
        self, header: Mapping[str, Any], signed: bytes, signature: bytes, deadline: Deadline | None
    ) -> None:
        kid = header.get("kid")
        # `crit` names what a reader must understand, and we understand nothing beyond the standard (RFC 7515, 4.1.11).
        if header.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in header or "b64" in header:
            raise _unsigned()
        try:
            key = self.keys.find(kid, deadline)
        except KeysUnavailable:
            raise NotIdentified(
                "keys_unavailable", "the issuer's keys cannot be had at the moment: try again soon", status=503
            ) from None
        if key is None:
            raise _unsigned()
        try:
            key.verify(signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise _unsigned() from None

    def _check_time(self, claims: Mapping[str, Any]) -> None:
        now = self.now()
        expires, begins = _seconds(claims.get("exp")), _seconds(claims.get("nbf", 0))
        if now >= expires:
            raise NotIdentified("token_expired", "this token has expired: sign in again")
        if now < begins:
            raise NotIdentified("token_expired", "this token is not valid yet")

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        """Cognito's access tokens name their client in `client_id`, others' in `aud`, `azp` or all of them."""
        if "client_id" in claims:
            named = [claims["client_id"]]
        else:
            audience = claims.get("aud", [])
            named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(name, str) and name in self.clients for name in named):
            raise NotIdentified("token_wrong_audience", "this token is for another client")


def _opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any], bytes, bytes]:
    """Header, claims, what is signed, and the signature of a token in its compact form (RFC 7515, 7.1)."""
    parts = _PARTS.fullmatch(token) if len(token) <= LONGEST else None
    if parts is None:
        raise _malformed()
    try:
        header, claims, signature = _object(parts[1]), _object(parts[2]), decoded(parts[3])
    except (ValueError, RecursionError):
        raise _malformed() from None
    return header, claims, f"{parts[1]}.{parts[2]}".encode(), signature


def _object(text: str) -> Mapping[str, Any]:
    found = json.loads(decoded(text), object_pairs_hook=_without_repetition)
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004  bad data, not a bad call
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _check_purpose(claims: Mapping[str, Any]) -> None:
    """Cognito says `token_use`, Keycloak `typ`; other id tokens are known by claims that only they have."""
    is_access = claims.get("token_use", "access") == "access" and claims.get("typ", "Bearer") == "Bearer"
    if not is_access or not _OF_ID_TOKENS.isdisjoint(claims):
        raise NotIdentified("token_wrong_purpose", "this is not an access token: send the one named `access_token`")


def _name(claims: Mapping[str, Any]) -> str | None:
    for claim in NAMES:
        name = claims.get(claim)
        if isinstance(name, str) and (cleaned := " ".join(clean(name[: LONGEST_NAME * 4]).split())):
            return cleaned[:LONGEST_NAME]
    return None


def _seconds(value: Any) -> float:
    """A numeric date (RFC 7519, 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _malformed()
    return value


def _malformed() -> NotIdentified:
    return NotIdentified("token_malformed", "this is no access token: expected a signed JSON web token")


def _unsigned() -> NotIdentified:
    return NotIdentified("token_invalid_signature", "this token is not signed by its issuer's RS256 key")
