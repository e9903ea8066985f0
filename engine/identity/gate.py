"""Decides from the `Authorization` header who asks, by the settings `CLIENT_TOKEN`, `AUTH` and `AUTH_…`.

Every host lets this gate decide: an authorizer in front of the function is a second lock, whose claims are not trusted.
What verifies users' tokens is imported only where `AUTH` asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from engine.core.deadline import Deadline
from engine.core.errors import EngineError, SettingsError
from engine.core.record import field, record
from engine.core.turn import ANONYMOUS, Principal

if TYPE_CHECKING:
    from engine.identity.openid import Verifier

MODES: Final = ("none", "optional", "required")


class NotIdentified(EngineError):
    """Nobody may ask with this header. `code` is one of a fixed list; `status` is 401, or 503 without keys.

    | code | the token |
    | --- | --- |
    | `authorization_invalid` | is not the client token, where nobody signs in |
    | `token_missing` | is not there |
    | `token_malformed` | is no JSON web token |
    | `token_invalid_signature` | was signed by nobody we trust, or by no method we trust |
    | `token_expired` | is past its time, or before it |
    | `token_wrong_issuer` | comes from another issuer |
    | `token_wrong_audience` | is for another client |
    | `token_wrong_purpose` | is not an access token |
    | `keys_unavailable` | cannot be verified now: the issuer's keys cannot be had |
    """

    def __init__(self, code: str, message: str, *, status: int = 401) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


@record
class Gate:
    """`client_token` is empty where none is shared; `verifier` is `None` where nobody signs in."""

    client_token: str = field(default="", repr=False)
    verifier: Verifier | None = None
    required: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Gate:
        """The gate that `env` describes; raises `SettingsError`, since a lock that does not fit stays shut."""
        client_token = env.get("CLIENT_TOKEN", "").strip()
        mode = env.get("AUTH", "").strip().lower() or "none"
        if mode not in MODES:
            raise SettingsError(f"AUTH is `{mode}`: expected none, optional or required")
        if mode == "none":
            return cls(client_token=client_token)
        from engine.identity.openid import verifier_from_env

        return cls(client_token=client_token, verifier=verifier_from_env(env), required=mode == "required")

    def identify(self, authorization: str, deadline: Deadline | None = None) -> Principal:
        """Who sends this header; raises `NotIdentified`. Keys of the issuer are fetched by `deadline`."""
        scheme, _, credentials = authorization.strip().partition(" ")
        if self.holds_client_token(authorization):
            return Principal(kind="token")
        if self.verifier is None:
            if self.client_token:
                message = "this service needs `Authorization: Bearer …` with its client token"
                raise NotIdentified("authorization_invalid", message)
            return ANONYMOUS
        if not authorization.strip():
            if self.required or self.client_token:
                raise NotIdentified(
                    "token_missing", "this service needs `Authorization: Bearer …` with an access token"
                )
            return ANONYMOUS
        if scheme.lower() != "bearer":
            raise NotIdentified("token_malformed", "the Authorization header is not `Bearer …`")
        return self.verifier.verify(credentials.strip(), deadline)

    def holds_client_token(self, authorization: str) -> bool:
        """Whether this header carries the client token, compared in constant time; never where none is shared."""
        if not self.client_token:
            return False
        from hmac import compare_digest

        scheme, _, token = authorization.strip().partition(" ")
        given, wanted = (value.strip().encode("utf-8", "replace") for value in (token, self.client_token))
        return compare_digest(given, wanted) and scheme.lower() == "bearer"
