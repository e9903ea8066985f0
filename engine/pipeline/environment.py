"""Reads the environment variables that pipelines may use as typed values.

A value that does not fit never stops the load: an operator's typo must not silence the bot. It becomes a notice, and
where a model depends on it, a model that says what is wrong and lets the turn escalate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from engine.core.expression import Scalar, Value
from engine.core.record import record
from engine.core.source import EnvRef
from engine.models.registry import BACKENDS
from engine.models.secrets import is_misplaced, is_refused

_SHORT = 10
"""Characters of a wrong value that a notice may quote."""
_BOOLEANS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off", ""), False)


@record(kw_only=False)
class Variable:
    """A variable and its type; `read` raises `ValueError`, and `what` completes the sentence "must be …"."""

    read: Callable[[str], Scalar]
    what: str
    default: Scalar = None


def _within(least: float, most: float, units: Mapping[str, float]) -> Callable[[str], float]:
    """Reads numbers from `least` to `most`, or times in seconds."""

    def read(text: str) -> float:
        unit = next((unit for unit in units if text.endswith(unit)), "")
        value = float(text.removesuffix(unit)) * units.get(unit, 1.0)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return read


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        value = float(text)
        if not isfinite(value):
            raise
        return value


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


TEXT, NUMBER, FLAG = Variable(str, "a text"), Variable(_number, "a number"), Variable(_boolean, "true or false")
TIME = Variable(_within(0.001, 900.0, {"ms": 0.001, "s": 1.0}), "a time such as 4s or 900ms")
LIMITS = {"threshold": Variable(_within(1.0, 100.0, {}), "a number from 1 to 100"), "timeout": TIME}
"""The fields of steps that the environment may set; the bounds are those of the schema, which checks literals."""

VARIABLES: Mapping[str, Variable] = {
    "USE_LOCAL_LLM": FLAG,
    "LOCAL_LLM_BACKEND": Variable(str, "auto, llama.cpp or gpt4all", "auto"),
    "LOCAL_LLM_MODEL": Variable(str, "the path of a GGUF file", ""),
    "LOCAL_LLM_MAX_TOKENS": Variable(int, "a whole number", 256),
    "LOCAL_LLM_TEMPERATURE": Variable(lambda text: None if text.lower() == "none" else float(text), "a number", 0.7),
    "LOCAL_LLM_ALLOW_FALLBACK": Variable(_boolean, "true or false", default=False),
    **{name: Variable(str, what, "") for row in BACKENDS.values() for name, what in row.variables.items()},
}
"""What conditions see as `env`. Secrets are not here: nothing but their own backend may read them."""


def resolve(reference: EnvRef, env: Mapping[str, str], wanted: Variable = TEXT) -> Value:
    """The value of `${NAME:default}`; an unset or empty variable gives the default.

    An editor's own variable takes the type of its default; without one it is read as what is `wanted`.

    Raises:
        ValueError: the text does not fit; the message names the variable and the remedy.
    """
    own = wanted if reference.default is None else TEXT
    if isinstance(reference.default, bool | int | float):
        own = FLAG if isinstance(reference.default, bool) else NUMBER
    value: Scalar = read(reference.name, VARIABLES.get(reference.name, own), env, reference.default)
    return value


def read(name: str, variable: Variable, env: Mapping[str, str], default: Any) -> Any:
    """Reads the variable `name`, or gives `default` where it is not set; raises `ValueError` as `resolve`."""
    text = env.get(name, "").strip()
    if not text:
        return default
    with suppress(ValueError):
        if not is_refused(name) and not (variable.read is str and is_misplaced(text, env)):
            return variable.read(text)
    if is_refused(name):
        raise ValueError(f"{name} is a secret, and no setting: take it out of the pipeline")
    if is_misplaced(text, env):
        raise ValueError(f"{name} holds what looks like a secret, which is not used: it must be {variable.what}")
    # What is longer may be a password that was meant for another variable.
    found = f"is `{text}`, it" if len(text) <= _SHORT else "is something else and"
    raise ValueError(f"{name} {found} must be {variable.what}: set it so, or unset it")


def values(env: Mapping[str, str]) -> tuple[dict[str, Scalar], list[str]]:
    """The typed values of all `VARIABLES`, and a notice for each that was not understood."""
    found: dict[str, Scalar] = {}
    notices: list[str] = []
    for name, variable in VARIABLES.items():
        try:
            found[name] = read(name, variable, env, variable.default)
        except ValueError as error:
            found[name] = variable.default
            notices.append(str(error))
    if found["USE_LOCAL_LLM"] is None:
        found["USE_LOCAL_LLM"] = bool(found["LOCAL_LLM_MODEL"])
    # A template may print it, and nobody outside is to see how this machine is laid out.
    found["LOCAL_LLM_MODEL"] = str(found["LOCAL_LLM_MODEL"]).rpartition("/")[2]
    return found, notices
