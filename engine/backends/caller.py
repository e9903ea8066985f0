"""A loaded SDK with the wire under it: what comes out of a call is a `Completion` or a `BackendError`."""

from __future__ import annotations

import gc
from dataclasses import replace

from engine.backends.asker import SDK_SLIPS, Asker, Opening
from engine.backends.connecting import trust
from engine.backends.wire import Call, under_way
from engine.model.deadline import Deadline
from engine.model.text import clean
from engine.model.turn import Completion, Prompt


class Caller:
    """Asks `asker` within a call of its own each time; safe to share between threads as far as the SDK is."""

    def __init__(self, asker: Asker, backend: str, secrets: tuple[str, ...]) -> None:
        self._asker = asker
        self._backend = backend
        self._secrets = secrets

    def ask(self, prompt: Prompt, deadline: Deadline) -> Completion:
        call = Call(backend=self._backend, deadline=deadline, secrets=self._secrets)
        caught: tuple[type[Exception], ...] = (*self._asker.errors, *SDK_SLIPS)
        try:
            with under_way(call):
                completion = self._asker.ask(prompt, deadline)
        except caught:
            raise call.explain() from None
        return replace(completion, text=clean(completion.text))


def load(opening: Opening, backend: str) -> Caller:
    """Load the SDK, and the certificates with it, so that the first call need not.

    What it loaded is there to stay, so the collector is told not to look at it again: a full collection would stop
    every thread for some 50 ms, in the middle of a turn and past its deadline.
    """
    trust()
    caller = Caller(opening.load(), backend, opening.secrets)
    gc.freeze()
    return caller
