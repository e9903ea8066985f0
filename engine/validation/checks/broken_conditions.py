"""P401, P402, P403: a condition that is no expression, uses an unknown name, or a construct that is not allowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from engine.core.language import phrase
from engine.core.source import Code, Problem, Text
from engine.expressions.parse import ConditionError
from engine.expressions.scope import RENAMED, Scope
from engine.pipeline.reading.syntax import IN_BRACES
from engine.pipeline.schema.advice import nearest
from engine.steps.spec import ExpressionDetectorSpec
from engine.validation.subject import Subject

P401 = Code("P401", "a condition that is not an expression")
P402 = Code("P402", "an unknown name in a condition or a template")
P403 = Code("P403", "something that conditions may not do")

_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
_SLIPS = (
    (re.compile("=>|＞＝|≧|≥"), ">="),
    (re.compile("=<|＜＝|≦|≤"), "<="),
    (re.compile("&&|＆＆"), "and"),
    (re.compile("\\|\\||｜｜"), "or"),
    (re.compile("<>|≠"), "!="),
    (re.compile("[!！](?![=＝])"), "not "),
    (re.compile("(?<![=!<>])=(?!=)"), "=="),
    (re.compile("(?<!&)&(?!&)"), "and"),
    (re.compile(r"(?<!\|)\|(?!\|)"), "or"),
    (re.compile("[！-～]+"), ""),
    (re.compile("「[^」]*」|“[^”]*”|『[^』]*』"), ""),
    (re.compile(r"かつ|且つ|そして|\b(?:AND|And)\b"), "and"),
    (re.compile(r"または|又は|もしくは|\b(?:OR|Or)\b"), "or"),
    (re.compile(r"ではない|でない|\b(?:NOT|Not)\b"), "not"),
    (re.compile("以上"), ">="),
    (re.compile("以下"), "<="),
    (re.compile("未満"), "<"),
)
"""What is written by mistake, with what is meant; nothing stands for the same of half width, or in quotes."""

_JINJA = (
    (re.compile(r"expected token '\)', got '(.+)'"), phrase("`{sign}` stands where nothing more is expected")),
    (re.compile("unexpected char (?:\"'\"|'\"')"), phrase("a quotation mark is opened and never closed")),
    (re.compile(r"unexpected char '(.)'"), phrase("`{sign}` is no sign of conditions")),
    (re.compile(r"unexpected '\}', expected '\)'"), phrase("a `(` is never closed")),
    (re.compile(r"unexpected '(.+)'"), phrase("a value is missing before `{sign}`")),
    (re.compile("expected name or number"), phrase("a name is missing after `.`")),
    (re.compile("Invalid character in identifier"), phrase("a wide sign of Japanese stands in it")),
)
"""What Jinja complains about, in words for people who do not know its grammar."""

_HINTS = (
    (re.compile(r"^(?P<word>if|when|もし)\b"), phrase("write the condition alone, without `{word}`")),
    (re.compile(r"\d(?P<unit>時|月|日|分|歳|回)"), phrase("write the number without `{unit}`")),
    (re.compile(r"\d:\d\d"), phrase("write hours as `now.hour >= 17 and now.hour < 22`")),
    (re.compile("between|から|\\.\\.|[~〜～]"), phrase("write `17 <= now.hour < 22` for from 17 to 22 o'clock")),
)
_HOW = phrase("compare with `==`, `<`, `>=` or `in`, and join with `and`, `or` and `not`")

_CODES = {"syntax": P401, "name": P402, "construct": P403}


def broken_conditions(subject: Subject) -> Iterator[Problem]:
    for text, scope in conditions(subject):
        try:
            subject.parsed(text, scope)
        except ConditionError as error:
            yield _problem(subject, text, scope, error)


def _problem(subject: Subject, text: Text, scope: Scope, error: ConditionError) -> Problem:
    message, word, hint = str(error), error.word, error.hint
    braces = IN_BRACES.fullmatch(text.value)
    if braces:
        message = phrase("a condition stands alone, without braces")
        return P401.problem(message, text.span, phrase("write `{meant}`", meant=braces["bare"]))
    if error.kind == "construct" and "filter" in message:
        return _bar(subject, text, message)
    if error.kind == "name":
        hint = _name_hint(word, text.value, scope) or hint
    if error.kind == "syntax":
        message, got = _plain(message)
        written, meant = _slip(text.value)
        word = written or got or word
        hint = hint or _hint(text.value, got)
        if written:
            message = phrase("condition is not an expression: `{written}` means nothing in it", written=written)
            hint = phrase("write `{meant}` instead of `{written}`", meant=meant, written=written)
    place = subject.sources.find(text.span, word) if word else text.span
    return _CODES[error.kind].problem(message, place, hint)


def _bar(subject: Subject, text: Text, message: str) -> Problem:
    """A `|`, which applies a filter in templates and nothing here."""
    place = subject.sources.find(text.span, "|")
    if place == text.span or not re.search(r"\|\s*(?:lower|upper|trim|length|default|int|first|last)\b", text.value):
        said, hint = phrase("`|` joins nothing in a condition"), phrase("write `or` instead of `|`")
        return P401.problem(said, place, hint)
    hint = phrase("write `lower(…)` or `len(…)` instead of a filter")
    return P403.problem(message, place, hint)


def _plain(message: str) -> tuple[str, str]:
    """Jinja's complaint in plain words, and the word that it is about; unknown ones stay as they are."""
    why, sign = plainly(message, _JINJA)
    return (phrase("condition is not an expression: {why}", why=why) if why else message), sign


def plainly(complaint: str, table: Sequence[tuple[re.Pattern[str], str]]) -> tuple[str, str]:
    """What `table` says of Jinja's complaint, and the word that it is about; empty where it says nothing."""
    for pattern, words in table:
        found = pattern.search(complaint)
        if found:
            sign = found[1] if pattern.groups else ""
            return (phrase(words, sign=sign) if sign else words), sign
    return "", ""


def _hint(source: str, got: str) -> str:
    """What to write where something else, such as the word `got`, is no part of an expression."""
    bare = _QUOTED.sub("", source)
    for pattern, words in _HINTS:
        found = pattern.search(bare)
        if found:
            return phrase(words, **found.groupdict())
    return _HOW if got else ""


def _name_hint(word: str, source: str, scope: Scope) -> str:
    """Where an unknown name is a text without quotes, or an unknown part of a known name."""
    if re.search(rf"[=!]= *{re.escape(word)}$", source) and word not in (*scope.spellings(), *RENAMED):
        return phrase("put a text in quotes: `'{word}'`", word=word)
    if not word.isascii():
        return phrase("put a text in quotes, as in `'{word}' in text`", word=word)
    first, dot, rest = word.partition(".")
    if first == "captured":
        return phrase("conditions see no captures: write `matches(text, '…')`")
    if not dot or first not in scope.names:
        return ""
    known = [name.removeprefix(f"{first}.") for name in scope.spellings() if name.startswith(f"{first}.")]
    if first == "vars" and not known:
        return phrase("a step of kind `set` has to keep it first")
    close = nearest(rest, known)
    return (
        phrase("did you mean `{first}.{close}`?", first=first, close=close)
        if close
        else phrase("`{first}` has {names}", first=first, names=", ".join(f"`{name}`" for name in known))
    )


def _slip(source: str) -> tuple[str, str]:
    """What stands in a broken condition that other notations, or a Japanese keyboard, have for something of ours."""
    bare = _QUOTED.sub(lambda found: " " * len(found[0]), source)
    slips = [(found, meant) for pattern, meant in _SLIPS if (found := pattern.search(bare))]
    if not slips:
        return "", ""
    # The parser stops at the first one.
    first, meant = min(slips, key=lambda slip: slip[0].start())
    quoted = "'" + source[first.start() + 1 : first.end() - 1] + "'" if first[0][0] in "「“『" else ""
    return first[0], meant or quoted or unicodedata.normalize("NFKC", first[0])


def conditions(subject: Subject) -> Iterator[tuple[Text, Scope]]:
    """Every expression of the pipeline and its replies, with the names it may use."""
    yield from decisions(subject)
    for step in subject.spec.steps:
        yield from ((text, subject.scopes.conditions) for _, text in step.variables)


def decisions(subject: Subject) -> Iterator[tuple[Text, Scope]]:
    """The expressions of which only the truth counts: each `when`, and each `if` of `escalate_when`."""
    names = subject.scopes
    whens = (*(reply.when for reply in subject.spec.replies), *(step.when for step in subject.spec.steps))
    yield from ((when, names.conditions) for when in whens if when is not None)
    for step in subject.spec.steps:
        for detector in step.detectors:
            if isinstance(detector, ExpressionDetectorSpec):
                yield detector.test, names.detectors
