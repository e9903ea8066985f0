"""What a setting of a model may hold: the kinds, and the settings that several backends share.

A kind checks values from the environment and rows that are opened, and gives the pipeline schema its part. Imported at
a cold start, so it knows no SDK and no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from engine.core.record import record

Fragment = Mapping[str, Any]
"""A part of the JSON Schema of pipelines."""

_REFERENCE = r"\$\{[A-Z][A-Z0-9_]*(:[^{}]*)?\}"
_REFERRED: Fragment = {
    "type": "string",
    "if": {"pattern": "\\$\\{"},
    "then": {
        "pattern": f"^{_REFERENCE}$",
        "patternErrorMessage": "expected the whole value to be `${NAME:default}`, with nothing around it",
    },
}


class SettingError(Exception):
    """Says which variable or setting is wrong, and what to put there."""


class Kind(Protocol):
    """What a setting may hold; as text it completes the sentence "it must be …". `what` says what the setting does."""

    @property
    def what(self) -> str: ...
    def fits(self, value: Any) -> bool: ...
    def schema(self) -> Fragment: ...


def _or_reference(expected: str, literal: Fragment, word: str = "") -> Fragment:
    """A `literal` of the schema, or a reference to the environment, or a certain `word`."""
    pattern = f"^({word}|{_REFERENCE})$" if word else f"^{_REFERENCE}$"
    message = f"expected {expected}, or `${{NAME:default}}`"
    return {"if": {"type": "string"}, "then": {"pattern": pattern, "patternErrorMessage": message}, "else": literal}


@record(kw_only=False)
class Number:
    """From `low` to `high`, whole where so said; an `optional` one may be `none`, which leaves it to the model."""

    low: float
    high: float
    what: str
    whole: bool = False
    optional: bool = False

    def fits(self, value: Any) -> bool:
        kinds = int if self.whole else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def schema(self) -> Fragment:
        bounds = {"minimum": self.low, "maximum": self.high}
        if self.optional:
            return _or_reference("a number, `none`", {"type": "number", **bounds}, "none")
        return {"$ref": f"#/$defs/setting_{'count' if self.whole else 'number'}", **bounds}

    def __str__(self) -> str:
        numbers = "a whole number" if self.whole else "a number"
        return f"{numbers} from {self.low:.10g} to {self.high:.10g}{', or `none`' if self.optional else ''}"


@record(kw_only=False)
class Choice:
    words: tuple[str, ...]
    what: str

    def fits(self, value: Any) -> bool:
        return value in self.words

    def schema(self) -> Fragment:
        return {**_REFERRED, "else": {"enum": list(self.words)}}

    def __str__(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"


@record(kw_only=False)
class Flag:
    what: str

    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)

    def schema(self) -> Fragment:
        return _or_reference("`true`, `false`", {"type": "boolean"})

    def __str__(self) -> str:
        return "true or false"


@record(kw_only=False)
class Text:
    """`form` and `expected` are further keywords of the schema: a pattern, and what to say where it does not match."""

    what: str
    form: str = ""
    expected: str = ""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)

    def schema(self) -> Fragment:
        form = {"pattern": self.form, "patternErrorMessage": self.expected} if self.form else {}
        return {"$ref": "#/$defs/setting_text", **form}

    def __str__(self) -> str:
        return "a text"


@record(kw_only=False)
class Texts:
    """A list of texts, or a single one; `bounds` and `item` are further keywords of the schema for list and item."""

    what: str
    bounds: Fragment
    item: Fragment

    def fits(self, value: Any) -> bool:
        entries = (value,) if isinstance(value, str) else value
        return isinstance(entries, tuple) and all(isinstance(entry, str) and entry for entry in entries)

    def schema(self) -> Fragment:
        return {"type": "array", **self.bounds, "items": {"type": "string", **self.item}}

    def __str__(self) -> str:
        return "a text or a list of texts"


GENERATION: Mapping[str, Kind] = {
    "max_tokens": Number(1, 32_768, "The longest answer, in tokens.", whole=True),
    "temperature": Number(
        0,
        2,
        "How freely the model chooses its words: 0 is always the likeliest word, 1 is lively; `none` leaves it to the "
        "model.",
        optional=True,
    ),
    "top_p": Number(0, 1, "The model chooses among the likeliest words that together have this probability."),
    "stop": Texts(
        "Texts at which the answer ends.",
        {"maxItems": 16},
        {"description": "The answer ends before this text.", "minLength": 1, "maxLength": 200},
    ),
    "examples": Number(
        0,
        500,
        "How many of the persona's example exchanges are sent. Default: all of them to base models, none to chat "
        "models.",
        whole=True,
    ),
    "thinking": Flag(
        "Whether a model that can think before it answers does so. Thoughts are never said, but cost time and tokens. "
        "Default: as the provider has it; local models do not."
    ),
}
"""What every model that generates text reads."""

LOCAL: Mapping[str, Kind] = {
    "path": Text("The file of a local model (GGUF)."),
    **GENERATION,
    "top_k": Number(
        1, 1_000_000, "A local model chooses among this many of the likeliest words. Default: 40.", whole=True
    ),
    "min_p": Number(
        0, 1, "A local model leaves out words less likely than this share of the likeliest one. Default: 0.1."
    ),
    "repeat_penalty": Number(
        0.5, 3, "How much a local model avoids words that it said just now; 1 not at all. Default: 1.1."
    ),
    "seed": Number(
        0, 4_294_967_295, "A whole number that makes a local model choose the same words each time.", whole=True
    ),
    "context": Number(64, 1_048_576, "How many tokens a local model can hold; more history is cut off.", whole=True),
    "threads": Number(
        1, 256, "How many threads a local model uses. Default: what the machine really gives.", whole=True
    ),
    "parallel": Number(
        1,
        64,
        "How many guests a local model answers at once, where memory suffices; llama.cpp alone can. Default: 8.",
        whole=True,
    ),
    "best_of": Number(
        1,
        16,
        "Among how many answers, written at once, a local model chooses the one it is surest of. Default: 1.",
        whole=True,
    ),
    "style": Choice(
        ("auto", "chat", "raw"),
        "How a local model is asked: `chat` by its chat template, `raw` by a transcript that it continues, `auto` by "
        "what the file holds.",
    ),
    "cache": Text(
        "The folder in which a local model keeps the persona as it has read it, or `off`. Default: beside the model."
    ),
}

EXTERNAL: Mapping[str, Kind] = {
    "model": Text("What the provider calls the model."),
    "base_url": Text(
        "The address of a compatible server, where it is not the provider's own, as far as its version: "
        "`http://127.0.0.1:8080/v1`.",
        form=r"^(\$\{[\s\S]*|[Hh][Tt][Tt][Pp][Ss]?://[^?#\s]+)?$",
        expected="expected an http or https address without a query, such as `http://127.0.0.1:8080/v1`",
    ),
    **GENERATION,
    "stream": Flag(
        "Whether the sentences of an answer are said as they come, to clients that ask for a stream. `false` for a "
        "model that thinks aloud without marking where its thoughts begin. Default: true."
    ),
}

CHAT: Mapping[str, Kind] = {
    **EXTERNAL,
    "logprobs": Flag(
        "Whether `openai` or `huggingface` is asked for the probabilities behind `confidence`. Models that have none "
        "to give are asked without. Default: false."
    ),
}
"""What providers read that speak the protocol of chat completions."""
