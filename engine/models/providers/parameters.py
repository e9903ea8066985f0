"""What a model is asked for besides the conversation, less what it refuses by name.

Models of one provider differ in what they take: some want the limit of tokens under another name, some no temperature,
some no system text. Nobody can list them, but each says so. What one has refused is remembered for the life of the
process. Knows names of parameters, and nothing of SDKs.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from engine.models.providers.row import Settings

Form = Mapping[str, Any]
"""Parameters that are sent, or refused, together."""

SYSTEM = "system"
"""Stands for the system text, which a model may refuse like a parameter: then the first user message has it."""

STREAM = "stream"
_STREAMED = frozenset({STREAM, "usage"})
"""Parameters of a stream alone: that it is one, and that it tells its tokens at the end."""

GIVEN_UP_FIRST = ("usage", STREAM, "logprobs", "thinking", "stop", "top_p", "temperature", "limit", "system")
"""Of several parameters that one refusal names, which to change."""

_refused: dict[tuple[str, str | None, str], dict[str, int]] = {}
"""By backend, address and model: how many forms of each parameter were refused."""

_lock = threading.Lock()


class Parameters:
    """The parameters of one model, each with the forms in which it may be sent, best first; a form that holds
    `None` is never sent, and a parameter whose forms were all refused is left out. Safe to share between threads.
    """

    def __init__(self, backend: str, settings: Settings, forms: Mapping[str, Sequence[Form]]) -> None:
        sendable = {name: [form for form in given if None not in form.values()] for name, given in forms.items()}
        self._forms: Mapping[str, Sequence[Form]] = {
            **sendable,
            "system": ({SYSTEM: True},),
            STREAM: ({STREAM: True},) if settings.stream else (),
        }
        self.settings = settings
        self._refused = _refused.setdefault((backend, settings.base_url, settings.model), {})

    def current(self, *, streamed: bool = False) -> dict[str, Any]:
        """What to send now; without `STREAM` in it, where the model does not stream."""
        left_out = () if streamed and self._form(STREAM) else _STREAMED
        sent = [self._form(parameter) for parameter in self._forms if parameter not in left_out]
        return {name: value for form in sent for name, value in form.items()}

    def refuse(self, names: Collection[str], sent: Mapping[str, Any], *, value: bool = False) -> bool:
        """Note that one of `names`, which were `sent`, was refused, or only its `value`; whether there is something
        else to send now.
        """
        with _lock:
            if self.current(streamed=STREAM in sent) != sent:
                return True  # another turn was told the same meanwhile
            for parameter in GIVEN_UP_FIRST:
                refused = self._form(parameter)
                if refused.keys() & set(names):
                    while (form := self._form(parameter)) and (
                        form is refused or (not value and form.keys() == refused.keys())
                    ):
                        self._refused[parameter] = self._refused.get(parameter, 0) + 1
                    return True
        return False

    def _form(self, parameter: str) -> Form:
        forms, refused = self._forms.get(parameter, ()), self._refused.get(parameter, 0)
        return forms[refused] if refused < len(forms) else {}


def chat_parameters(backend: str, settings: Settings, url: str) -> Parameters:
    """In the words of chat completions, as the server at `url` has them."""
    limits: Sequence[Form] = ({"max_tokens": settings.max_tokens}, {"max_completion_tokens": settings.max_tokens})
    is_openai = (urlsplit(url).hostname or "").endswith((".openai.com", ".openai.azure.com"))
    forms: Mapping[str, Sequence[Form]] = {
        "limit": limits[::-1] if is_openai else limits,
        "temperature": ({"temperature": settings.temperature},),
        "top_p": ({"top_p": settings.top_p},),
        "stop": ({"stop": list(settings.stop) or None},),
        # Some servers give none before they are told how many alternatives to add, others know no alternatives.
        "logprobs": ({"logprobs": True, "top_logprobs": 0}, {"logprobs": True}) if settings.logprobs else (),
        "thinking": _thinking(wanted=settings.thinking, is_openai=is_openai),
        "usage": ({"stream_options": {"include_usage": True}},),
    }
    return Parameters(backend, settings, forms)


def _thinking(*, wanted: bool | None, is_openai: bool) -> Sequence[Form]:
    if wanted is None:
        return ()
    if not is_openai:
        return ({"chat_template_kwargs": {"enable_thinking": wanted, "thinking": wanted}},)
    return [{"reasoning_effort": effort} for effort in (("medium",) if wanted else ("none", "minimal", "low"))]
