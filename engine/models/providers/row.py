"""The settings that a row of an external model may hold, typed, with an address that its provider can be asked at."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from engine.core.plan import ModelRow
from engine.core.record import record
from engine.models.http.address import is_address
from engine.models.settings import SettingError, given

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


def settings_of(row: ModelRow) -> Settings:
    """Raises `SettingError` for a value of the wrong kind, for no model, and for what the loader found wrong."""
    values = given(row)
    if "model" not in values:
        raise SettingError(f"model {row.id} names no model: set its `model`")
    if "base_url" in values:
        values["base_url"] = _base_url(values["base_url"], row)
    return Settings(**values)


def _base_url(text: str, row: ModelRow) -> str:
    """`text` as the SDKs want it: they put the path of a call behind it."""
    place = f"model `{row.id}`: `base_url`"
    if not is_address(text):
        raise SettingError(f"{place} must be an http or https address, such as http://127.0.0.1:8080/v1")
    url = urlsplit(text)
    if url.query or url.fragment or text.endswith(("?", "#")):
        raise SettingError(
            f"{place} has a query; give the address up to the `?`, as in {url.scheme}://{url.hostname}/v1"
        )
    base = text.rstrip("/")
    if row.backend == "bedrock":
        if _VERSION.search(url.path) or _ENDPOINT.search(url.path.rstrip("/")):
            raise SettingError(f"{place} is no address of Bedrock's own API; use the backend `openai` for it")
        return base
    while found := _ENDPOINT.search(urlsplit(base).path):
        base = base[: -len(found[0])].rstrip("/")
    return base if _VERSION.search(urlsplit(base).path) else f"{base}/v1"
