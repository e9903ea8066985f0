"""A loaded SDK with the wire under it: what comes out of a call is a `Completion` or a `BackendError`."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.core.deadline import LEAST, Deadline
from engine.core.errors import UnsupportedParameter
from engine.core.ports import Hearing
from engine.core.turn import Completion, Prompt
from engine.models.http.connecting import trust
from engine.models.http.wire import Call, under_way
from engine.models.providers.asker import SDK_SLIPS, Asker, Opening
from engine.models.providers.coming import ANSWER_LIMIT, listener, note_thoughts, too_long
from engine.models.providers.parameters import STREAM
from engine.models.spoken import spoken, whole_sentences
from engine.text.cleaning import clean


class Caller:
    """Asks `asker` within a call of its own each time; safe to share between threads as far as the SDK is."""

    def __init__(self, asker: Asker, backend: str, secrets: tuple[str, ...]) -> None:
        self._asker = asker
        self._backend = backend
        self._secrets = secrets

    def ask(self, prompt: Prompt, deadline: Deadline, hearing: Hearing | None = None) -> Completion:
        """The answer, told to `hearing` while it comes. Asks again where the model refuses a parameter by name, each
        time with less.
        """
        while True:
            sent = self._asker.parameters.current(streamed=hearing is not None)
            try:
                completion = self._ask(prompt, deadline, sent, hearing if STREAM in sent else None)
                break
            except UnsupportedParameter as error:
                known = self._asker.parameters.refuse(error.parameters, sent, value=error.value)
                if not known or deadline.remaining() < LEAST:
                    raise
        raw = clean(completion.text)
        note_thoughts(self._backend, self._asker.parameters.settings.model, raw)
        text = spoken(raw)
        if completion.finish_reason == "length":
            text = whole_sentences(text)
        if len(text) > ANSWER_LIMIT:
            raise too_long(self._backend)
        return replace(completion, text=text)

    def _ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any], hearing: Hearing | None) -> Completion:
        call = Call(
            backend=self._backend,
            deadline=deadline,
            secrets=self._secrets,
            parameters=frozenset(sent),
            streams=hearing is not None,
        )
        hear = None if hearing is None else listener(hearing, self._backend, self._asker.parameters.settings)
        caught: tuple[type[Exception], ...] = (*self._asker.errors, *SDK_SLIPS)
        try:
            with under_way(call):
                return self._asker.ask(prompt, deadline, sent, hear)
        except caught:
            raise call.explain() from None


def load(opening: Opening, backend: str) -> Caller:
    """Load the SDK, and the certificates with it, so that the first call need not.

    What it loaded is there to stay, so the collector is told not to look at it again: a full collection would stop
    every thread for some 50 ms, in the middle of a turn and past its deadline.
    """
    trust()
    caller = Caller(opening.load(), backend, opening.secrets)
    gc.freeze()
    return caller
