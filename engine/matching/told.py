"""What was read in a text, as an editor is shown it. Knows forms, no replies."""

from __future__ import annotations

from engine.matching.compare import MEANINGS
from engine.matching.form import Form

_KINDS = {
    "talker": "the two who talk",
    "light": "grammar",
    "telling": "request",
}
_MARKS = {**MEANINGS, "past": "past", "on": "goes on", "request": "request", "asks": "question", "tells": "statement"}
_SIGNS = {"q": "quoted", "r": "reported", "i": "said in irony or denied"}


def told(form: Form) -> tuple[tuple[str, str], ...]:
    """What counts and what does not, as (what, words); only what there is."""
    spare: dict[str, list[str]] = {}
    content = {word[0] for word in form.words}
    for word, kind in form.spare:
        if word not in content:
            spare.setdefault(_KINDS.get(kind, kind), []).append(word)
    rows = (
        ("words", " ".join(word[0] for word in form.words)),
        ("numbers", " ".join(form.numbers)),
        ("asks", " ".join(form.questions)),
        ("time", " ".join(form.times)),
        ("means", ", ".join(meant(form))),
        ("changes nothing", ", ".join(f"{' '.join(words)} ({kind})" for kind, words in spare.items())),
    )
    return tuple((what, text) for what, text in rows if text)


def meant(form: Form) -> list[str]:
    """What the grammar means: the opposite, a wish, another's words."""
    found = ["denied"] if form.negative else []
    found += [shown for mark, shown in _MARKS.items() if mark in form.marks]
    return found + [shown for sign, shown in _SIGNS.items() if sign in form.signs]


def told_in_short(form: Form) -> str:
    """What counts of a trigger, on one line."""
    return "; ".join(text for what, text in told(form) if what != "changes nothing")
