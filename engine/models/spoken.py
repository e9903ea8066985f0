"""Takes from a model's text what is meant for the user: no thoughts, and of an answer that was cut the whole sentences.

Of a text that is still coming it tells what is certain to stay.

Models that think write their thoughts between marks of many kinds, and servers pass them on, lose one of the marks, or
cut the text between them. A thought without an end is no answer. Knows no vendor.
"""

from __future__ import annotations

import re

_END = re.compile(r"[。．！？!?…♪♡～〜」』）)]+[^\w。．！？!?…「『（(]*|(?<=\w)\.(?=\s|$)")

_UNSETTLED = " \t\r\n<＜[◁&`\\、，,"
"""What the mark of a thought begins with, and what no answer ends with."""

_WORD = (
    r"(?:think(?:ing|s)?|thoughts?|reason(?:ing)?|reflect(?:ion|ing)?|analysis|scratch_?pad|monologue|ponder(?:ing)?|cot"
    r"|chain_of_thought|思考)"
)
_NAME = rf"(?:[\w-]{{0,30}}[:_-]|ant|inner)?{_WORD}(?:[:_-][\w:-]{{0,30}})?"
_LEFT, _RIGHT, _SLASH = r"(?:\\?[<＜]|&lt;)\s*", r"\s*(?:[>＞]|&gt;)", r"\\?[/／]\s*"
_BAR, _OF = "[|｜]", "(?:[_▁]of)?[_▁]"
_MARK = re.compile(
    rf"""
      (?P<empty> {_LEFT}{_NAME}\s*/{_RIGHT} )
    | (?P<open>  {_LEFT}{_NAME}(?:\s[^<>]*)?{_RIGHT} | \[(?:think(?:ing)?|reasoning)\] | ◁think▷
               | <{_BAR}(?:(?:begin|start){_OF})?{_WORD}(?:_start)?{_BAR}> | <\|channel>\s*(?:thought|analysis)
               | <\|inner_prefix\|> | <unused94>(?:thought)? | \[unused16\] | [<＜]\s*thi\w*\s*\Z )
    | (?P<close> {_LEFT}{_SLASH}{_NAME}{_RIGHT} | \[/(?:think(?:ing)?|reasoning)\] | ◁/think▷
               | <{_BAR}(?:/|end{_OF}){_WORD}{_BAR}> | <{_BAR}{_WORD}_end{_BAR}> | <channel\|>
               | <\|inner_suffix\|> | <unused95> | \[unused17\] | [<＜]\s*{_SLASH}thi\w*\s*\Z )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FRAME = re.compile(
    r"</?(?:(?:final_)?answer|response|final|output|reply)>|<\|(?:begin|end)_of_(?:solution|box)\|>"
    r"|<\|(?:start|end)_response\|>|\[(?:begin|end) final response\]",
    re.IGNORECASE,
)
"""What some models that think put around their answer."""

_BLOCK = re.compile(
    rf"""
      ```{_WORD}\b.*?(?:```|\Z)
    | <details(?: \s(?:[^<>]{{0,200}}\s)?type=.reasoning\b[^<>]{{0,200}}
               | [^<>]{{0,200}}>\s{{0,20}}<summary>\s{{0,20}}{_WORD} ).*?(?:</details>|\Z)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""A thought as a block of Markdown or HTML."""

_HEADED = re.compile(
    r"here(?:['’]s| is) my thought process:|here are my reasoning steps:|【思考(?:過程)?】", re.IGNORECASE
)
_HEADED_END = re.compile(
    r"here(?:['’]s| is) my response:|\[begin final response\]|【/思考(?:過程)?】|【(?:最終)?(?:回答|返答|応答|返事)】",
    re.IGNORECASE,
)
"""Headings of a thought, and of the answer behind it."""

_TURN_BEGIN = re.compile(
    r"\A\s*(?:<\|im_start\|>assistant|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|assistant\|>"
    r"|<start_of_turn>model)\s*"
)
_TURN_END = re.compile(
    r"<\|(?:im_(?:end|start)|eot_id|eom_id|end_of_text|endoftext|end_of_turn|start_header_id|user|eos)\|>"
    r"|<｜end▁of▁sentence｜>|<(?:end|start)_of_turn>|</s>"
)
"""What ends a turn: a server that does not know the token as one passes it on, with what the model wrote behind it."""

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
    if _BLOCK.search(text):
        text = _BLOCK.sub("", text).strip()
    if _HEADED.match(text.lstrip()):
        end = _HEADED_END.search(text)
        text = _FRAME.sub("", text[end.end() :]).strip() if end else ""
    if _BARE_THOUGHT.match(text.lstrip()):
        return _BARE_FINAL.split(text, maxsplit=1)[-1].strip() if _BARE_FINAL.search(text) else ""
    return _outside_marks(text)


_UNFINISHED = re.compile(
    r"(?:\\?[<＜]|&lt;)(?:(?!&gt;)[^<＜>＞]){0,300}\Z|<details\b(?!.*</details>).*|```\w{0,30}\Z",
    re.IGNORECASE | re.DOTALL,
)
"""What may become a mark or a thought with the words that follow."""


def certain(text: str, *, thinks: bool) -> str:
    """What `spoken` will make of the beginning of an answer that has come as far as `text`, whatever follows but the
    end of a thought that never began. Of a model that `thinks` aloud nothing is certain before it ended a thought.
    """
    if thinks and not ("<|channel|>" in text or any(found.lastgroup == "close" for found in _MARK.finditer(text))):
        return ""
    return spoken(_UNFINISHED.sub("", text, count=1))


def begins_in_thought(text: str) -> bool:
    """Whether `text` ends a thought that never began in it."""
    first = _MARK.search(text)
    return first is not None and first.lastgroup == "close"


def is_mark(token: str) -> bool:
    """Whether a model's control token parts thoughts from words: the text of an answer needs it."""
    return bool(_MARK.fullmatch(token) or _CHANNEL_MARK.fullmatch(token)) or token in {"<|channel>", "<channel|>"}


def whole_sentences(text: str) -> str:
    """`text` up to the last end of a sentence; all of it where there is none."""
    ends = [found.end() for found in _END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text


def finished_sentences(text: str) -> str:
    """The sentences of a text that goes on: up to the last end behind which another sentence has begun."""
    ends = [found.end() for found in _END.finditer(text) if found.end() < len(text)]
    return text[: ends[-1]].rstrip(_UNSETTLED) if ends else ""


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
    if start is not None:
        said.append(text[start:])
    whole = "".join(said)
    answer = _TURN_END.split(_TURN_BEGIN.sub("", whole), maxsplit=1)[0]
    is_framed = whole != text or _FRAME.match(answer.lstrip())
    answer = _FRAME.sub("", answer) if is_framed else answer
    return text if answer == text else answer.strip()
