"""The settings that a row of an external model may hold, typed, with an address that its provider can be asked at."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from engine.core.plan import ModelRow
from engine.core.record import record, replace
from engine.models.http.address import is_address
from engine.models.registry import given
from engine.models.settings import SettingError

_ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|embeddings|models|chat)$")
_VERSION = re.compile(r"/v\d\w*(?:/|$)")


@record
class Settings:
    """`examples` bounds the example exchanges sent; `None` leaves the choice to the provider."""

    model: str
    base_url: str | None = None
    region: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    examples: int = 0
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    thinking: bool | None = None
    stream: bool = True


def settings_of(row: ModelRow) -> Settings:
    """Raises `SettingError` for a value of the wrong kind, for no model, and for what the loader found wrong."""
    values = given(row)
    if "model" not in values:
        raise SettingError(f"model {row.id} names no model: set its `model`")
    if "base_url" in values:
        values["base_url"] = _base_url(values["base_url"], row)
    return Settings(**values)


def _base_url(text: str, row: ModelRow) -> str:
    """`text` without a slash at its end: SDKs put the path of a call behind it."""
    place = f"model `{row.id}`: `base_url`"
    if not is_address(text):
        raise SettingError(f"{place} must be an http or https address, such as http://127.0.0.1:8080/v1")
    url = urlsplit(text)
    if url.query or url.fragment or text.endswith(("?", "#")):
        raise SettingError(
            f"{place} has a query; give the address up to the `?`, as in {url.scheme}://{url.hostname}/v1"
        )
    return text.rstrip("/")


def is_chat_api(base_url: str) -> bool:
    """Whether an address names a version or an endpoint of the protocol of chat completions."""
    path = urlsplit(base_url).path
    return bool(_VERSION.search(path) or _ENDPOINT.search(path))


def with_version(settings: Settings) -> Settings:
    """`settings` with an address as SDKs of chat completions want it: as far as the version, without an endpoint."""
    base = settings.base_url
    if base is None:
        return settings
    while found := _ENDPOINT.search(urlsplit(base).path):
        base = base[: -len(found[0])].rstrip("/")
    return replace(settings, base_url=base if _VERSION.search(urlsplit(base).path) else f"{base}/v1")
