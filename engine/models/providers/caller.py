"""A loaded SDK with the wire under it: what comes out of a call is a `Completion` or a `BackendError`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from engine.core.deadline import LEAST, Deadline
from engine.core.errors import BackendError, Malformed, UnsupportedParameter
from engine.core.turn import Completion, Piece, Prompt
from engine.models.http.connecting import trust
from engine.models.http.wire import Call, under_way
from engine.models.providers.asker import SDK_SLIPS, Asker, Chunk, Opening
from engine.models.providers.coming import ANSWER_LIMIT, Coming, is_thinker, note_thoughts, too_long
from engine.models.providers.parameters import STREAM
from engine.models.spoken import spoken, whole_sentences
from engine.text.cleaning import clean

T = TypeVar("T")


class Caller:
    """Asks `asker` within a call of its own each time; safe to share between threads as far as the SDK is."""

    def __init__(self, asker: Asker, backend: str, secrets: tuple[str, ...]) -> None:
        self._asker = asker
        self._backend = backend
        self._secrets = secrets

    def ask(self, prompt: Prompt, deadline: Deadline) -> Completion:
        """Asks again where the model refuses a parameter by name, each time with less."""
        return self._accepted(lambda sent: self._finished(self._ask(prompt, deadline, sent)), deadline)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        """The answer sentence by sentence; one of a model that does not stream comes in one piece.

        A stream that is cut off before it says that it is over is `Malformed`, and so is an answer whose thoughts turn
        out to have been among what was given out.
        """
        with ExitStack() as stack:
            pieces = self._accepted(lambda sent: self._begun(stack, prompt, deadline, sent), deadline, streamed=True)
            return (yield from pieces)

    def _accepted(self, ask: Callable[[Mapping[str, Any]], T], deadline: Deadline, *, streamed: bool = False) -> T:
        """What `ask` gives with the parameters that the model takes."""
        while True:
            sent = self._asker.parameters.current(streamed=streamed)
            try:
                return ask(sent)
            except UnsupportedParameter as error:
                known = self._asker.parameters.refuse(error.parameters, sent, value=error.value)
                if not known or deadline.remaining() < LEAST:
                    raise

    def _ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:
        call = self._call(deadline, sent, streams=False)
        with self._explained(call), under_way(call):
            return self._asker.ask(prompt, deadline, sent)

    def _begun(
        self, stack: ExitStack, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]
    ) -> Generator[Piece, None, Completion]:
        """The pieces of a stream that is open by now, and closed by `stack`."""
        if STREAM not in sent:
            return self._in_one_piece(self._finished(self._ask(prompt, deadline, sent)))
        call = stack.enter_context(closing(self._call(deadline, sent, streams=True)))
        with self._explained(call), under_way(call):
            chunks = stack.enter_context(self._asker.open(prompt, deadline, sent))
        return self._pieces(call, chunks)

    def _in_one_piece(self, completion: Completion) -> Generator[Piece, None, Completion]:
        yield Piece(text=completion.text, confidence=completion.confidence)
        return completion

    def _pieces(self, call: Call, chunks: Iterable[Chunk]) -> Generator[Piece, None, Completion]:
        settings, said = self._asker.parameters.settings, ""
        coming = Coming(settings.model, self._backend)
        thinks = is_thinker(self._backend, settings)
        for is_news in self._read(call, chunks, coming):
            told = coming.sentences(thinks=thinks) if is_news else said
            if not told.startswith(said):
                break
            if told != said:
                yield Piece(text=told[len(said) :], confidence=coming.confidence)
                said = told
        completion = self._finished(coming.whole())
        if completion.finish_reason == "length" and said.startswith(completion.text):
            completion = replace(completion, text=said)
        if not completion.text.startswith(said):
            raise Malformed(f"the answer of {self._backend} took back what it said", backend=self._backend)
        if completion.text != said:
            yield Piece(text=completion.text[len(said) :], confidence=completion.confidence)
        return completion

    def _read(self, call: Call, chunks: Iterable[Chunk], coming: Coming) -> Iterator[bool]:
        """Whether there is something new in each chunk. What goes wrong behind the end of the answer costs no more than
        the count of its tokens.
        """
        try:
            with self._explained(call):
                for chunk in chunks:
                    had_ended = coming.ended is not None
                    yield coming.add(chunk)
                    if coming.is_complete:
                        return
                    if coming.ended is not None and not had_ended:
                        call.hurry()
        except BackendError:
            if coming.ended is None:
                raise
        if coming.ended is None and not call.ended:
            message = f"the answer of {self._backend} was cut off"
            raise Malformed(message, backend=self._backend, status=200, retryable=True)

    def _call(self, deadline: Deadline, sent: Mapping[str, Any], *, streams: bool) -> Call:
        return Call(
            backend=self._backend,
            deadline=deadline,
            secrets=self._secrets,
            parameters=frozenset(sent),
            streams=streams,
        )

    @contextmanager
    def _explained(self, call: Call) -> Iterator[None]:
        """Errors of the SDK, and what it lets through, as errors of the engine."""
        caught: tuple[type[Exception], ...] = (*self._asker.errors, *SDK_SLIPS)
        try:
            yield
        except caught:
            raise call.explain() from None

    def _finished(self, completion: Completion) -> Completion:
        """`completion` without thoughts, and without half a sentence where it was cut."""
        raw = clean(completion.text)
        note_thoughts(self._backend, self._asker.parameters.settings.model, raw)
        text = spoken(raw)
        if completion.finish_reason == "length":
            text = whole_sentences(text)
        if len(text) > ANSWER_LIMIT:
            raise too_long(self._backend)
        return replace(completion, text=text)


def load(opening: Opening, backend: str) -> Caller:
    """Load the SDK, and the certificates with it, so that the first call need not.

    What it loaded is there to stay, so the collector is told not to look at it again: a full collection would stop
    every thread for some 50 ms, in the middle of a turn and past its deadline.
    """
    trust()
    caller = Caller(opening.load(), backend, opening.secrets)
    gc.freeze()
    return caller
