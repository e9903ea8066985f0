"""What a worker is told about its model when it starts, and about each answer it is asked for: plain data, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.core.record import record, replace
from engine.core.turn import Exchange, Labels, Message, Prompt

ENGINES: Mapping[str, str] = {"llama.cpp": "llama_cpp", "gpt4all": "gpt4all"}
"""Local engines in the order in which `auto` tries them: the module below `engine.models.local` that runs each has the
name of the package that it needs.
"""

Style = Literal["auto", "chat", "raw"]

PERSONA_SHARE = 0.75
"""Of the tokens that a prompt may have, how many the persona and its examples may take."""


@record
class LocalSettings:
    """Settings of a local model. `context` and `max_tokens` are tokens; `parallel` is how many guests it answers at
    once, `best_of` among how many answers it chooses; `examples` bounds the persona's examples,
    `None` meaning all in a transcript and none in a chat; `seed` `None` means another one each time; `cache` is a
    folder for saved prompt states, empty for the default one, `off` for none; `thinking` is told to chat templates that
    ask for it.
    """

    path: str
    context: int = 2048
    max_tokens: int = 256
    threads: int = 1
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.1
    repeat_penalty: float = 1.1
    seed: int | None = None
    stop: tuple[str, ...] = ()
    examples: int | None = None
    style: Style = "auto"
    cache: str = ""
    thinking: bool = False
    parallel: int = 8
    best_of: int = 1


def settings_to_json(settings: LocalSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in LocalSettings.__annotations__}


def settings_from_json(data: Mapping[str, Any]) -> LocalSettings:
    return LocalSettings(**{**data, "stop": tuple(data["stop"])})


def persona_of(prompt: Prompt) -> Prompt:
    """The part of `prompt` that is the same in every turn: what is evaluated ahead of them."""
    return replace(prompt, history=(), near=(), text="")


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    return {
        "system": prompt.system,
        "examples": [[example.user, example.reply] for example in prompt.examples],
        "history": [[message.role, message.text] for message in prompt.history],
        "text": prompt.text,
        "labels": [prompt.labels.user, prompt.labels.reply],
        "near": [[example.user, example.reply] for example in prompt.near],
    }


def prompt_from_json(data: Mapping[str, Any]) -> Prompt:
    return Prompt(
        system=data["system"],
        examples=tuple(Exchange(*example) for example in data["examples"]),
        history=tuple(Message(*message) for message in data["history"]),
        text=data["text"],
        labels=Labels(*data["labels"]),
        near=tuple(Exchange(*example) for example in data.get("near", ())),
    )
