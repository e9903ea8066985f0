"""Follows references to secrets: `secretsmanager:NAME` or `ssm:NAME` in a variable becomes what is kept there.

A name may be an ARN, and `#KEY` at its end takes one key of a secret that is a JSON object. References are looked up
once, at cold start, and boto3 is imported only where there are any. Messages name the variable and the reference, never
a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from engine.api.answer import Log
from engine.core.errors import SecretUnavailable
from engine.models.registry import BACKENDS

VARIABLES = (*sorted({row.credentials for row in BACKENDS.values() if row.credentials}), "CLIENT_TOKEN")
CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 2.0
TRIES = 2

_REFERENCE = r"(secretsmanager|ssm):([^#]+)(?:#(.+))?"

Fetch = Callable[[str, str], str]
"""The value that a store (`secretsmanager`, `ssm`) keeps under a name; raises `SecretUnavailable`."""


def resolve(env: Mapping[str, str], *, log: Log, fetch: Fetch | None = None) -> Mapping[str, str]:
    """`env` with the references in `VARIABLES` followed.

    A key that cannot be had leaves its variable empty, with a record in the log: the other models still answer.

    Raises:
        SecretUnavailable: for `CLIENT_TOKEN`, because without it everybody would be let in.
    """
    set_ = {name: value for name in VARIABLES if (value := env.get(name, "").strip())}
    found = {name: match for name, value in set_.items() if (match := re.fullmatch(_REFERENCE, value))}
    if not found:
        return env
    fetch = cache(fetch or fetch_from_aws)
    resolved = dict(env)
    for variable, reference in found.items():
        try:
            resolved[variable] = _value(reference, fetch)
        except SecretUnavailable as error:
            message = f"{variable}: {error}"
            if variable == "CLIENT_TOKEN":
                raise SecretUnavailable(message) from None
            log({"level": "error", "event": "secret_unavailable", "variable": variable, "message": message})
            resolved[variable] = ""
    return resolved


def fetch_from_aws(store: str, name: str) -> str:
    """Looks a secret up with the function's own role; region and endpoints are boto3's own settings."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise SecretUnavailable("following a reference needs boto3: pip install boto3") from None
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": TRIES},
    )
    try:
        if store == "ssm":
            answer = boto3.client("ssm", config=config).get_parameter(Name=name, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        answer = boto3.client("secretsmanager", config=config).get_secret_value(SecretId=name)
    except ClientError as error:
        raise SecretUnavailable(_refused(store, name, error.response["Error"].get("Code", "refused"))) from None
    except (BotoCoreError, ValueError) as error:
        raise SecretUnavailable(_refused(store, name, type(error).__name__)) from None
    return _text(answer, store, name)


def _text(answer: Mapping[str, Any], store: str, name: str) -> str:
    text = answer.get("SecretString")
    if not isinstance(text, str):
        raise SecretUnavailable(f"`{store}:{name}` is binary: keep the key as text")
    return text


def _value(reference: re.Match[str], fetch: Fetch) -> str:
    store, name, key = reference.groups()
    text = fetch(store, name.strip()).strip()
    if key is not None:
        text = _entry(text, key, f"{store}:{name}")
    if not text:
        raise SecretUnavailable(f"`{store}:{name}` is empty")
    return text


def _entry(text: str, key: str, where: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    entry = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entry, str):
        raise SecretUnavailable(f"`{where}` is no JSON object with a text under `{key}`")
    return entry.strip()


def _refused(store: str, name: str, code: str) -> str:
    return f"`{store}:{name}` cannot be read ({code}): check the name, the region and the function's role"
