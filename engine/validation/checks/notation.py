"""Finds texts that were meant as something else: signs of other tools, wide or typographic signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.core.language import phrase
from engine.core.source import Code, Problem, Span, Text
from engine.pipeline.reading.files import at, shortened
from engine.validation.subject import Subject, is_quoted

P116 = Code("P116", "a text that looks like something else of YAML", heuristic=True)
P117 = Code("P117", "signs of another tool in a trigger", heuristic=True)

_KEY = re.compile(
    r"(contains|regex|text|weight|say|match|when|id|examples|counterexamples|priority)[ \u3000]*[：:=＝]"
    r"|(contains|regex)[ \u3000]+(?=[^\x00-\x7f]|[\^(\[\\])"
)
_PAIRS = {
    "“": "”",
    "”": "”",
    "„": "“",
    "‘": "’",
    "’": "’",
    "＂": "＂",
    "＇": "＇",
    "「": "」",
    "『": "』",
}
_WIDE_LIST = re.compile(r" *(?:- +)?[\w-]+: +([［｛])")
_COMMENT = re.compile(r"(?:^|[ \u3000])(＃)")
_COMMA = re.compile("[、，]")


def lookalikes(subject: Subject) -> Iterator[Problem]:
    """P116: a text that was probably meant as something else of YAML, for one sign that is wide or typographic: a key,
    a comment, a list, quotation marks. Texts in plain quotation marks are taken as they are. A guess.
    """
    for text, is_said in _texts(subject):
        if not is_quoted(subject, text):
            found = _key(text) or _quotes(text) or _comment(subject, text)
            if found is None and not is_said:
                found = _list(subject, text)
            if found is not None:
                yield found
    yield from _wide_lists(subject)


def _texts(subject: Subject) -> Iterator[tuple[Text, bool]]:
    """Every text that is matched or said, and whether it is said."""
    for reply in subject.spec.replies:
        yield from ((trigger.text, False) for trigger in reply.match if trigger.kind != "regex")
        yield from ((text, False) for text in (*reply.examples, *reply.counterexamples))
        yield from ((variant.text, True) for variant in reply.say)
    persona = subject.spec.persona
    yield persona.name, True
    for example in persona.examples:
        yield from ((example.user, True), (example.reply, True))


def _key(text: Text) -> Problem | None:
    found = _KEY.match(text.value)
    if found is None:
        return None
    key = found[1] or found[2]
    hint = phrase("write `{key}: `, with a narrow colon and a space, or put the text in quotes", key=key)
    return _problem(text, phrase("`{text}` is a text, and `{key}` no key", text=shortened(text.value), key=key), hint)


def _quotes(text: Text) -> Problem | None:
    value = text.value
    closing = _PAIRS.get(value[:1])
    if closing is not None and len(value) > 1 and value.endswith((closing, '"', "'")) and value.count(closing) <= 2:
        message = phrase(
            "`{first}` and `{last}` are part of the text and no quotation marks of YAML",
            first=value[0],
            last=value[-1],
        )
        return _problem(
            text,
            message,
            phrase("write {inner} alone, or '{whole}' when they are meant", inner=value[1:-1], whole=value),
        )
    for mark in "\"'":
        if value.endswith(mark) and value.count(mark) == 1 and len(value) > 1 and not value[-2].isascii():
            message = phrase("`{mark}` at the end is part of the text, and nothing opens it", mark=mark)
            return _problem(text, message, phrase("remove it, or write one before the text, too"))
    return None


def _comment(subject: Subject, text: Text) -> Problem | None:
    found = _COMMENT.search(text.value)
    if found is None:
        return None
    span = subject.sources.find(text.span, "＃")
    message = phrase("`＃` is wide and begins no comment: what follows is part of the text")
    hint = phrase("write ` # ` for a comment, or put the whole text in quotes")
    return _problem(text, message, hint, at(span.file, span.line, span.column))


def _list(subject: Subject, text: Text) -> Problem | None:
    """One item between `[` and `]` in which a comma of Japanese stands."""
    found = _COMMA.search(text.value)
    if found is None or text.span.line != text.span.end_line:
        return None
    line = subject.sources.line(text.span.file, text.span.line)
    before, after = line[: text.span.column - 1].rstrip(), line[text.span.end_column - 1 :].lstrip()
    if not (before.endswith("[") and after.startswith("]")) and (found[0] != "，" or before.endswith("-")):
        return None
    message = phrase("`{sign}` is a wide comma, and divides no list: this is one text", sign=found[0])
    return _problem(text, message, phrase("write `, ` between two texts, or put the one text in quotes"))


def _wide_lists(subject: Subject) -> Iterator[Problem]:
    """Wide brackets in what only templates read of the persona; elsewhere the schema wants a list there."""
    span = subject.spec.persona.span
    for number in range(span.line, span.end_line + 1):
        found = _WIDE_LIST.match(subject.sources.line(span.file, number))
        if found:
            place = at(span.file, number, found.start(1) + 1)
            message = phrase("`{sign}` is wide and opens nothing: this is a text", sign=found[1])
            hint = phrase("write `[`, `, ` and `]`, which are narrow, or put the text in quotes")
            yield P116.problem(message, place, hint)


def _problem(text: Text, message: str, hint: str, span: Span | None = None) -> Problem:
    return P116.problem(message, span or text.span, hint)


_FACE = re.compile(r"[\^;´｀≧≦ωДд∀▽◇°￣_＿ﾟ・＾＠@]")
_IN_SLASHES = re.compile("/(.+)/[a-z]*")
_NOTATIONS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile("^/.+/[a-z]*$"),
        phrase("`{sign}` is a regex in other tools"),
        phrase("write `regex: ` and what stands between the `/`, in single quotes"),
    ),
    (
        re.compile(r"\[[^\[\]]+\]\s*[({][^(){}]*[)}]"),
        phrase("`{sign}` marks a slot in other tools"),
        phrase("write the words alone, or a `regex:` for what may stand there"),
    ),
    (
        re.compile(r"(?<!\{)\{(?![{%])[^{}]*\}|｛[^｛｝]*｝"),
        phrase("`{sign}` stands for a slot in other tools"),
        phrase("write the words themselves, or `regex:` with `.+` in its place"),
    ),
    (
        re.compile(r"</?[\w.:*-]+(?: [^<>]*)?/?>|＜[^＜＞]+＞"),
        phrase("`{sign}` is a tag of other tools"),
        phrase("write the words themselves, or `contains:` for a part of a sentence"),
    ),
    (
        re.compile(r"\.[*+]|\\[dwsbDWSB]|^\^|(?<=\w)\$$|\(\?[:=!P<]"),
        phrase("`{sign}` belongs to a regex"),
        phrase("write the trigger after `regex: `, in single quotes"),
    ),
    (
        re.compile(r"(?<=\S) ?[|｜] ?(?=\S)"),
        phrase("`{sign}` means `or` in other tools"),
        phrase("write each wording as a trigger of its own"),
    ),
    (
        re.compile(r"[*＊]+"),
        phrase("`{sign}` stands for any words in other tools"),
        phrase("write `contains: ` with the words alone"),
    ),
    (
        re.compile(r"(?<=\w)\[[^\[\]]+\]|^\[[^\[\]]+\](?=\w)|\([^()]*\)[?？]|(?<=[\wー])\?(?=\w)"),
        phrase("`{sign}` marks a part that may be missing in other tools"),
        phrase("write a trigger with it, and one without it"),
    ),
)


def foreign_notations(subject: Subject) -> Iterator[Problem]:
    """P117: signs in a trigger that other tools read as choices, slots or wildcards, and that are nothing but text
    here.

    Faces such as `(*^_^*)` hold the same signs. A guess.
    """
    for reply in subject.spec.replies:
        for trigger in reply.match:
            if trigger.kind == "regex":
                yield from _slashes(trigger.text)
            elif not _FACE.search(trigger.text.value):
                yield from _of_others(subject, trigger.text)


def _of_others(subject: Subject, text: Text) -> Iterator[Problem]:
    for pattern, message, hint in _NOTATIONS:
        found = pattern.search(text.value)
        if found:
            sign = found[0].strip()
            place = subject.sources.find(text.span, sign)
            words = phrase("{meaning}, and is a part of the text here", meaning=phrase(message, sign=sign))
            yield P117.problem(words, place, hint)
            return


def _slashes(pattern: Text) -> Iterator[Problem]:
    """A regex as it is written in other languages."""
    found = _IN_SLASHES.fullmatch(pattern.value)
    if found:
        message = phrase("`/` before and after it is a part of the regex here")
        hint = phrase("write `{pattern}` alone", pattern=found[1])
        yield P117.problem(message, pattern.span, hint)
