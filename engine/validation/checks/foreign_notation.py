"""P117: signs in a trigger that other tools read as choices, slots or wildcards, and that are nothing but text here.

Faces such as `(*^_^*)` hold the same signs. A guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.core.source import Code, Problem, Text
from engine.pipeline.spec import RegexTrigger
from engine.validation.subject import Subject

P117 = Code("P117", "signs of another tool in a trigger", heuristic=True)

_FACE = re.compile(r"[\^;´｀≧≦ωДд∀▽◇°￣_＿ﾟ・＾＠@]")
_IN_SLASHES = re.compile("/(.+)/[a-z]*")
_NOTATIONS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile(r"\[[^\[\]]+\]\s*[({][^(){}]*[)}]"),
        "`{0}` marks a slot in other tools",
        "write the words alone, or a `regex:` for what may stand there",
    ),
    (
        re.compile(r"(?<!\{)\{(?![{%])[^{}]*\}|｛[^｛｝]*｝"),
        "`{0}` stands for a slot in other tools",
        "write the words themselves, or `regex:` with `.+` in its place",
    ),
    (
        re.compile(r"</?[\w.:*-]+(?: [^<>]*)?/?>|＜[^＜＞]+＞"),
        "`{0}` is a tag of other tools",
        "write the words themselves, or `contains:` for a part of a sentence",
    ),
    (
        re.compile(r"\.[*+]|\\[dwsbDWSB]|^\^|(?<=\w)\$$|\(\?[:=!P<]"),
        "`{0}` belongs to a regex",
        "write the trigger after `regex: `, in single quotes",
    ),
    (
        re.compile(r"(?<=\S) ?[|｜] ?(?=\S)"),
        "`{0}` means `or` in other tools",
        "write each wording as a trigger of its own",
    ),
    (
        re.compile(r"[*＊]+"),
        "`{0}` stands for any words in other tools",
        "write `contains: ` with the words alone",
    ),
    (
        re.compile(r"(?<=\w)\[[^\[\]]+\]|^\[[^\[\]]+\](?=\w)|\([^()]*\)[?？]|(?<=[\wー])\?(?=\w)"),
        "`{0}` marks a part that may be missing in other tools",
        "write a trigger with it, and one without it",
    ),
)


def check(subject: Subject) -> Iterator[Problem]:
    for reply in subject.spec.replies:
        for trigger in reply.match:
            if isinstance(trigger, RegexTrigger):
                yield from _slashes(trigger.pattern)
            elif not _FACE.search(trigger.text.value):
                yield from _found(subject, trigger.text)


def _found(subject: Subject, text: Text) -> Iterator[Problem]:
    for pattern, message, hint in _NOTATIONS:
        found = pattern.search(text.value)
        if found:
            sign = found[0].strip()
            place = subject.sources.find(text.span, sign)
            words = f"{message.format(sign)}, and is a part of the text here"
            yield P117.problem(words, place, hint)
            return


def _slashes(pattern: Text) -> Iterator[Problem]:
    """A regex as it is written in other languages."""
    found = _IN_SLASHES.fullmatch(pattern.value)
    if found:
        message = "`/` before and after it is a part of the regex here"
        hint = f"write `{found[1]}` alone"
        yield P117.problem(message, pattern.span, hint)
