"""Releases an answer sentence by sentence while it comes, each when nothing speaks against it.

Before the first sentence is said everything may still be thrown away unseen: an objection holds sentences back, and the
whole answer is judged in the end as any other. After it nothing is taken back or said again, so an objection, or a
failure, ends the answer with the last sentence that was said, or with the pipeline's closing line.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

from engine.core.record import replace
from engine.core.turn import Completion, Piece
from engine.text.sentences import sentences

Restore = Callable[[str, bool], str]
Judge = Callable[[Completion], str | None]
"""The reason against an answer, or a part of it."""


class Gate:
    """Lets the sentences of one answer through to `say`. Each is judged `alone`, and all so far as a `whole`; `restore`
    puts back what was kept from the model, in a text that goes on or not.
    """

    def __init__(self, say: Callable[[str], None], alone: Judge, whole: Judge, restore: Restore) -> None:
        self._say, self._alone, self._whole, self._restore = say, alone, whole, restore
        self._judged = ""
        self._is_held = False
        self.said = ""
        """What was let through: the beginning of all that was judged."""
        self.reason: str | None = None
        """Why the answer ends before its end."""

    def listen(self, model: str, stream: Generator[Piece, None, Completion]) -> Completion:
        """The answer of `stream`, which is closed. Where something was said, its text is that and no more, and it is
        `interrupted` where more was to come; raises what the stream raises.
        """
        heard = ""
        with closing(stream):
            while self.reason is None:
                try:
                    piece = next(stream)
                except StopIteration as end:
                    return self._finished(end.value)
                heard += piece.text
                so_far = Completion(text="", finish_reason="stop", model=model, confidence=piece.confidence)
                self._take(self._restore(heard, True), so_far)
        return self.interrupted(model)

    def interrupted(self, model: str, last_words: str = "") -> Completion:
        """Ends an answer after what was said of it, with `last_words` behind that."""
        if last_words:
            last = self.said[-1:]
            self._let_through(f" {last_words}" if last.isascii() and not last.isspace() else last_words)
        return Completion(text=self.said, finish_reason="interrupted", model=model)

    def _finished(self, completion: Completion) -> Completion:
        text = self._restore(completion.text, False)
        if not self.said:
            return replace(completion, text=text)
        if completion.finish_reason == "refusal":
            self.reason = "refusal"
        else:
            self._take(text, completion)
        ended = "interrupted" if self.reason else completion.finish_reason
        return replace(completion, text=self.said, finish_reason=ended)

    def _take(self, text: str, so_far: Completion) -> None:
        """Judge the sentences of `text` that are new, and say those that may be said."""
        if not text.startswith(self._judged):
            self.reason = "changed"
            return
        for sentence in filter(None, sentences(text[len(self._judged) :])):
            self._judged += sentence
            refused = self._alone(replace(so_far, text=sentence.strip()))
            reason = refused or self._whole(replace(so_far, text=self._judged))
            if self.said and reason:
                self.reason = reason
                return
            self._is_held = self._is_held or refused is not None
            if not reason and not self._is_held:
                for one in sentences(self._judged[len(self.said) :]):
                    self._let_through(one)

    def _let_through(self, sentence: str) -> None:
        self.said += sentence
        self._say(sentence)
