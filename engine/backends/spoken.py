"""Takes from a model's text what is meant for the user: no thoughts, and of an answer that was cut the whole sentences.

Models that think write their thoughts between marks of many kinds, and servers pass them on, lose one of the marks, or
cut the text between them. A thought without an end is no answer. Knows no vendor.
"""

from __future__ import annotations

import re

_END = re.compile(r"[。．！？!?…♪♡～〜」』）)]+[^\w。．！？!?…「『（(]*|(?<=\w)\.(?=\s|$)")

_NAMES = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion)?|analysis|scratchpad|inner_monologue)"
_MARK = re.compile(
    rf"""
      (?P<empty> [<＜]\s*{_NAMES}\s*/[>＞] )
    | (?P<open>  [<＜]\s*{_NAMES}(?:\s[^<>]*)?[>＞] | \[(?:think(?:ing)?|reasoning)\] | ◁think▷
               | <\|(?:begin_of_thought|start_thinking|think(?:ing)?)\|> | <\|channel>\s*(?:thought|analysis)
               | [<＜]\s*thi\w*\s*\Z )
    | (?P<close> [<＜]\s*[/／]\s*{_NAMES}\s*[>＞] | \[/(?:think(?:ing)?|reasoning)\] | ◁/think▷
               | <\|(?:end_of_thought|end_thinking|/think(?:ing)?)\|> | <channel\|>
               | [<＜]\s*[/／]\s*thi\w*\s*\Z )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FRAME = re.compile(
    r"</?(?:answer|response|final|output|reply)>|<\|(?:begin|end)_of_solution\|>|<\|(?:start|end)_response\|>",
    re.IGNORECASE,
)
"""What some models that think put around their answer."""

_CHANNEL = re.compile(r"(?:<\|channel\|>|\A)\s*(?P<name>\w*)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_CHANNEL_MARK = re.compile(r"<\|(?:start|channel|message|constrain|end|return|call)\|>")
_BARE_THOUGHT = re.compile(r"(?:assistant)?(?:analysis|commentary)(?![a-z\s.,:;!?'\"-])")
"""A channel's name whose marks the server has taken away: nothing parts it from the thought."""
_BARE_FINAL = re.compile(r"(?<=[^a-z])assistantfinal|assistantfinal(?=[^a-z])")


def spoken(text: str, *, prompt: str = "") -> str:
    """`text` without thoughts; empty where it is nothing else. `prompt` is what the model continued: some chat
    templates open the thought themselves.
    """
    text = _opened(prompt) + text
    if "<|channel|>" in text or "<|message|>" in text:
        return _final_channel(text)
    text = _CHANNEL_END.split(text, maxsplit=1)[0]
    if _BARE_THOUGHT.match(text.lstrip()):
        return _BARE_FINAL.split(text, maxsplit=1)[-1].strip() if _BARE_FINAL.search(text) else ""
    return _outside_marks(text)


def is_mark(token: str) -> bool:
    """Whether a model's control token parts thoughts from words: the text of an answer needs it."""
    return bool(_MARK.fullmatch(token) or _CHANNEL_MARK.fullmatch(token)) or token in {"<|channel>", "<channel|>"}


def whole_sentences(text: str) -> str:
    """`text` up to the last end of a sentence; all of it where there is none."""
    ends = [found.end() for found in _END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text


def _opened(prompt: str) -> str:
    """The mark of a thought or a channel that `prompt` ends with, so that what follows stands in it."""
    end = prompt[-200:].rstrip()
    marks = [*_MARK.finditer(end), *_CHANNEL.finditer(end)]
    last = max(marks, key=lambda found: found.end(), default=None)
    return last[0] if last is not None and last.end() == len(end) and last.lastgroup != "close" else ""


def _final_channel(text: str) -> str:
    """What stands in the channel `final` of a text in the harmony format; a text without one holds no answer."""
    said = [
        _CHANNEL_END.split(text[found.end() :], maxsplit=1)[0]
        for found in _CHANNEL.finditer(text)
        if found["name"].lower() == "final"
    ]
    return "".join(said).strip()


def _outside_marks(text: str) -> str:
    said: list[str] = []
    start: int | None = 0
    for found in _MARK.finditer(text):
        if found.lastgroup == "close":
            if start is not None:
                # It began before the text did.
                said.clear()
            start = found.end()
        elif start is not None:
            said.append(text[start : found.start()])
            start = found.end() if found.lastgroup == "empty" else None
    if not said and start == 0:
        return text
    if start is not None:
        said.append(text[start:])
    return _FRAME.sub("", "".join(said)).strip()
