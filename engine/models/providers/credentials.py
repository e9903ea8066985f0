"""Secrets from the environment: read by the backend that needs them, shown by none.

Messages name the variable, never its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from engine.core.record import field, record
from engine.models.settings import SettingError

_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


@record
class AwsCredentials:
    """Keys, or a profile's name, or neither: then the standard AWS chain decides."""

    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    profile: str | None = None
    region: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.access_key_id, self.secret_access_key, self.session_token)))


def bearer(env: Mapping[str, str], variable: str) -> str:
    """The key in `variable`, fit for an HTTP header."""
    key = env.get(variable, "").strip()
    if not key:
        raise SettingError(f"{variable} is not set: put the provider's API key there")
    if not _HEADER_SAFE.fullmatch(key):
        raise SettingError(f"{variable} holds characters that no API key has: copy it again")
    return key


def aws(env: Mapping[str, str], variable: str) -> AwsCredentials:
    """`variable` as a JSON object, a profile's name, or empty.

    The object's keys may be spelled `access_key_id`, `accessKeyId`, `AccessKeyId`, `aws_access_key_id` or
    `AWS_ACCESS_KEY_ID`, and so for `secret_access_key`, `session_token`, `region` and `profile`; what
    `aws sts assume-role` prints, with the keys under `Credentials`, is understood too.
    """
    text = env.get(variable, "").strip()
    if not text.startswith("{"):
        return AwsCredentials(profile=text or None)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingError(
            f"{variable} begins like a JSON object but is none: expected access_key_id and secret_access_key"
        ) from None
    nested = document.get("Credentials")
    values = _plain(nested if isinstance(nested, dict) else document)
    credentials = AwsCredentials(
        access_key_id=values.get("accesskeyid"),
        secret_access_key=values.get("secretaccesskey"),
        session_token=values.get("sessiontoken"),
        profile=values.get("profile"),
        region=values.get("region") or values.get("defaultregion"),
    )
    if bool(credentials.access_key_id) != bool(credentials.secret_access_key):
        raise SettingError(f"{variable} needs both access_key_id and secret_access_key")
    return credentials


def _plain(document: Mapping[str, object]) -> Mapping[str, str]:
    """Non-empty strings by their name in lower case, without punctuation and the `aws` in front."""
    return {
        re.sub(r"[^a-z]", "", name.lower()).removeprefix("aws"): value.strip()
        for name, value in document.items()
        if isinstance(value, str) and value.strip()
    }
