"""The environment variables that pipelines may use, and how their texts become typed values.

A value that does not fit never stops the load: an operator's typo must not silence the bot. It becomes a notice, and
where a model depends on it, a model that says what is wrong and lets the turn escalate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Literal

from engine.core.expression import Scalar, Value
from engine.core.record import field, record
from engine.core.source import EnvRef
from engine.models.registry import BACKENDS
from engine.models.secrets import is_misplaced, is_refused

Wanted = Literal["text", "number", "flag"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@record(kw_only=False)
class Variable:
    """`what` completes the sentence "must be …"."""

    read: Callable[[str], Scalar]
    what: str
    default: Scalar = None


@record
class Bounds:
    """The numbers from `least` to `most`, or times in seconds; `what` as in `Variable`."""

    least: float
    most: float
    what: str
    units: Mapping[str, float] = field(default_factory=dict)

    def read(self, text: str) -> float:
        unit = next((unit for unit in self.units if text.endswith(unit)), "")
        value = float(text.removesuffix(unit)) * self.units.get(unit, 1.0)
        if not self.least <= value <= self.most:
            raise ValueError(text)
        return value


TIME = Bounds(least=0.001, most=900.0, what="a time such as 4s or 900ms", units={"ms": 0.001, "s": 1.0})
THRESHOLD = Bounds(least=1.0, most=100.0, what="a number from 1 to 100")
"""As in the schema, which checks literals and defaults; these hold for what comes from the environment."""

LIMITS: Mapping[str, Bounds] = {"threshold": THRESHOLD, "timeout": TIME}
"""The fields of steps that the environment may set."""


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        value = float(text)
        if not isfinite(value):
            raise
        return value


def _number_or_none(text: str) -> float | None:
    return None if text.lower() == "none" else float(text)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(word)


VARIABLES: Mapping[str, Variable] = {
    "USE_LOCAL_LLM": Variable(_boolean, "true or false"),
    "LOCAL_LLM_BACKEND": Variable(str, "auto, llama.cpp or gpt4all", "auto"),
    "LOCAL_LLM_MODEL": Variable(str, "the path of a GGUF file", ""),
    "LOCAL_LLM_MAX_TOKENS": Variable(int, "a whole number", 256),
    "LOCAL_LLM_TEMPERATURE": Variable(_number_or_none, "a number", 0.7),
    "LOCAL_LLM_ALLOW_FALLBACK": Variable(_boolean, "true or false", default=False),
    **{name: Variable(str, what, "") for row in BACKENDS.values() for name, what in row.variables.items()},
}
"""What conditions see as `env`. Secrets are not here: nothing but their own backend may read them."""


def resolve(reference: EnvRef, env: Mapping[str, str], wanted: Wanted = "text") -> Value:
    """The value of `${NAME:default}`; an unset or empty variable gives the default.

    A variable without a default is read as what is `wanted`.

    Raises:
        ValueError: the text does not fit; the message names the variable and the remedy.
    """
    text = env.get(reference.name, "")
    if not text.strip():
        return reference.default
    if is_refused(reference.name):
        raise ValueError(_misfit(reference.name, text, "", env))
    return _read(reference.name, text, VARIABLES.get(reference.name) or _own(reference.default, wanted), env)


def bounded(reference: EnvRef, env: Mapping[str, str], bounds: Bounds) -> float | None:
    """The number that a variable holds, or none where it is not set; a time may have its unit, as in `4s`.

    Raises:
        ValueError: as `resolve`, also for a number out of bounds.
    """
    text = env.get(reference.name, "").strip()
    if text and is_refused(reference.name):
        raise ValueError(_misfit(reference.name, text, "", env))
    try:
        return bounds.read(text) if text else None
    except ValueError:
        raise ValueError(_misfit(reference.name, text, bounds.what, env)) from None


def values(env: Mapping[str, str]) -> tuple[dict[str, Scalar], list[str]]:
    """The typed values of all `VARIABLES`, of the path of a model its name, and a notice for each that was not
    understood.
    """
    found: dict[str, Scalar] = {}
    notices: list[str] = []
    for name, variable in VARIABLES.items():
        text = env.get(name, "")
        try:
            found[name] = _read(name, text, variable, env) if text.strip() else variable.default
        except ValueError as error:
            found[name] = variable.default
            notices.append(str(error))
    if found["USE_LOCAL_LLM"] is None:
        found["USE_LOCAL_LLM"] = bool(found["LOCAL_LLM_MODEL"])
    # A template may print it, and nobody outside is to see how this machine is laid out.
    found["LOCAL_LLM_MODEL"] = str(found["LOCAL_LLM_MODEL"]).rpartition("/")[2]
    return found, notices


def _read(name: str, text: str, variable: Variable, env: Mapping[str, str]) -> Scalar:
    text = text.strip()
    if variable.read is str and is_misplaced(text, env):
        raise ValueError(_misfit(name, text, variable.what, env))
    try:
        return variable.read(text)
    except ValueError:
        raise ValueError(_misfit(name, text, variable.what, env)) from None


def _misfit(name: str, text: str, what: str, env: Mapping[str, str]) -> str:
    if is_refused(name):
        return f"{name} is a secret, and no setting: take it out of the pipeline"
    if is_misplaced(text, env):
        return f"{name} holds what looks like a secret, which is not used: it must be {what}"
    return f"{name} is `{text[:40]}`, it must be {what}: set it so, or unset it"


def _own(default: Scalar, wanted: Wanted) -> Variable:
    """An editor's own variable takes the type of its default."""
    if isinstance(default, bool) or (default is None and wanted == "flag"):
        return Variable(_boolean, "true or false")
    if isinstance(default, int | float) or (default is None and wanted == "number"):
        return Variable(_number, "a number")
    return Variable(str, "a text")
