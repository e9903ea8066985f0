"""Knows which variables of the environment are secrets, and keeps their values out of everything that is shown.

Models repeat what they were told, SDKs quote keys, and operators paste a key into the wrong variable: so words are
searched before they are kept, logged or sent. What a secret is called is decided here and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from engine.models.registry import BACKENDS
from engine.text.cleaning import CREDENTIAL, FOLDERS

SECRETS: Final = frozenset(
    {
        *(row.credentials for row in BACKENDS.values() if row.credentials is not None),
        *("CLIENT_TOKEN", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    }
)
"""Variables whose values belong in no file and no report: the credentials of all backends, and those of clients and of
AWS."""

HIDDEN: Final = "[secret]"
_ENDINGS = (
    "_KEY",
    "_KEYS",
    "_KEY_ID",
    "TOKEN",
    "_SECRET",
    "_PASSWORD",
    "_PASSWD",
    "_PASSPHRASE",
    "_CREDENTIALS",
    *(
        "_PAT",
        "_PWD",
        "_PASS",
        "_PIN",
        "_JWT",
        "_AUTH",
        "_PEM",
        "_OTP",
        "_BEARER",
        "_COOKIE",
        "_AUTHORIZATION",
        "_DSN",
        "_SALT",
    ),
    *("_DATABASE_URL", "_WEBHOOK_URL", "_WEBHOOK"),
)
_PARTS = (
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESSKEY",
    "CONNECTION_STRING",
    "AUTH_HEADER",
    "PRIVATE_KEY",
    "ENCRYPTION_KEY",
)
_WORKING_DIRECTORY = "PWD"
"""Every shell sets it, and paths begin with it; `MYSQL_PWD` and `pwd` are passwords."""

_AWS_PLAIN = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION"})
_SHORTEST = 8
"""Shorter values stand in ordinary words, and are no secrets worth the name."""

_SHORTEST_UNKNOWN = 16
"""The same for variables that are secrets by the form of their name alone."""

_SIGNS = (
    *(
        "sk_",
        "rk_",
        "gsk_",
        "csk-",
        "xai-",
        "pplx-",
        "nvapi-",
        "glpat-",
        "github_pat_",
        "ya29.",
        "api_org_",
        "dapi",
        "r8_",
    ),
    *("hooks.slack", "fw_", "bedrock-api-key-", "ABSK"),
    *("sk-", "AKIA", "ASIA", "hf_", *(f"gh{kind}_" for kind in "pousr"), "xox", "AIza", "eyJ", "-----BEGIN"),
)
"""What the known forms of keys begin with: looked for first, because patterns take their time to compile."""

_RANDOM: Final = 32
_SHORTEST_PART: Final = 20
_RUNS: Final = 3
"""Of a text in parts, such as `prefix-Ab1…`: one that is so long and has digits in several places is no word."""


def is_secret(name: str) -> bool:
    """Whether the variable `name` is a secret, by itself or by the form of its name."""
    if name == _WORKING_DIRECTORY:
        return False
    upper = f"_{name.upper()}".rstrip("_0123456789")
    return name in SECRETS or upper.endswith(_ENDINGS) or any(part in upper for part in _PARTS)


def is_refused(name: str) -> bool:
    """Whether no setting, condition or template may read the variable: it is a secret, or AWS's own."""
    return is_secret(name) or (name.upper().startswith("AWS_") and name not in _AWS_PLAIN)


def is_misplaced(text: str, env: Mapping[str, str]) -> bool:
    """Whether `text`, the value of a variable that is no secret, looks like one or is that of another variable."""
    if len(text) < _SHORTEST:
        return False
    return any(value in text for value in _secrets_of(env)) or _looks_random(text) or _holds_key(text)


class Secrets:
    """The secret values of one environment."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._values = sorted(set(_secrets_of(env)), key=len, reverse=True)

    def hide(self, text: str) -> str:
        """`text` with each secret in it replaced."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def hide_all(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` with each secret in its texts replaced."""
        return {name: self.hide(value) if isinstance(value, str) else value for name, value in data.items()}

    def public(self, data: Any, words: Collection[str] = ()) -> Any:
        """What strangers may see of `data`: what operators may, and of absolute paths the last part alone.

        What stands under `words`, said by users or the bot, stays as it is but for the values of secrets.
        """
        return self._mapped(data, words, lambda text: _without_folders(_without_keys(self.hide(text))))

    def logged(self, data: Any, words: Collection[str] = ()) -> Any:
        """What operators may see of `data`: no secret, and nothing that looks like a key; `words` as in `public`."""
        return self._mapped(data, words, lambda text: _without_keys(self.hide(text)))

    def _mapped(self, data: Any, words: Collection[str], shown: Callable[[str], str]) -> Any:
        if isinstance(data, Mapping):
            return {
                key: self.hide(value) if key in words and isinstance(value, str) else self._mapped(value, words, shown)
                for key, value in data.items()
            }
        if isinstance(data, (list, tuple)):
            return [self._mapped(item, words, shown) for item in data]
        return data if data is None or isinstance(data, (bool, int, float)) else shown(str(data))

    def __bool__(self) -> bool:
        return bool(self._values)

    def __repr__(self) -> str:
        return f"Secrets({len(self._values)})"


def _secrets_of(env: Mapping[str, str]) -> Iterator[str]:
    for name in env:
        # A reference tells where a secret is kept, and is none.
        if is_secret(name) and not env[name].startswith(("secretsmanager:", "ssm:")):
            shortest = _SHORTEST if name in SECRETS else _SHORTEST_UNKNOWN
            yield from (value for value in _values(env[name]) if len(value) >= shortest)


def _values(text: str) -> Iterator[str]:
    """The text itself, and every text in it where it is a JSON document."""
    stripped = text.strip()
    yield stripped
    if stripped.startswith("{"):
        try:
            yield from _texts(json.loads(stripped))
        except (ValueError, RecursionError):
            return


def _texts(document: object) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            if "region" not in key.lower() and key.lower() != "profile":
                yield from _texts(value)


def _looks_random(text: str) -> bool:
    """Whether `text`, or a part of it, is a long row of letters and digits, as keys of no known form are."""
    plain = text.translate({ord(sign): None for sign in "+/="})
    is_row = len(text) >= _RANDOM and plain.isascii() and plain.isalnum() and not text.startswith("/")
    if is_row and not plain.isalpha() and len(set(plain)) > _RANDOM / 4:
        return True
    # Folders of a path may be digests.
    parts = () if "/" in text else text.replace("-", "_").split("_")
    return any(len(part) >= _SHORTEST_PART and part.isascii() and part.isalnum() and _is_mixed(part) for part in parts)


def _is_mixed(part: str) -> bool:
    """Whether letters and digits follow each other as they do in no name."""
    digits = sum(one.isdigit() and not other.isdigit() for one, other in pairwise(part))
    return digits >= _RUNS and len(set(part)) > _SHORTEST_PART / 2


def _holds_key(text: str) -> bool:
    if not any(sign in text for sign in _SIGNS) and not ("://" in text and "@" in text):
        return False
    return re.search(CREDENTIAL, text) is not None


def _without_keys(text: str) -> str:
    if not _holds_key(text):
        return text
    return re.sub(CREDENTIAL, HIDDEN, text)


def _without_folders(text: str) -> str:
    if "/" not in text and "\\" not in text:
        return text
    return re.sub(FOLDERS, "", text)
