"""Shows an editor what was read in a text: its words, what they mean together, and what of it changes nothing."""

from __future__ import annotations

from engine.core.language import joined, phrase
from engine.matching.refusals import MEANINGS
from engine.matching.trigger import Form

_KINDS = {
    "talker": phrase("the two who talk"),
    "light": phrase("grammar"),
    "telling": phrase("request"),
    "address": phrase("address"),
    "filler": phrase("filler"),
    "intensity": phrase("intensity"),
    "now": phrase("now"),
    "pointing": phrase("pointing"),
    "politeness": phrase("politeness"),
    "request": phrase("request"),
}
_MARKS = {
    **MEANINGS,
    "past": phrase("past"),
    "on": phrase("goes on"),
    "request": phrase("request"),
    "asks": phrase("question"),
    "tells": phrase("statement"),
}
_SIGNS = {"q": phrase("quoted"), "r": phrase("reported"), "i": phrase("said in irony or denied")}


def read_out(form: Form) -> tuple[tuple[str, str], ...]:
    """Lists what counts and what does not, as (what, words); only what there is."""
    spare: dict[str, list[str]] = {}
    content = {word[0] for word in form.words}
    for word, kind in form.spare:
        if word not in content:
            spare.setdefault(_KINDS.get(kind, kind), []).append(word)
    rows = (
        (phrase("words"), " ".join(word[0] for word in form.words)),
        (phrase("numbers"), " ".join(form.numbers)),
        (phrase("asks"), " ".join(form.questions)),
        (phrase("time"), " ".join(form.times)),
        (phrase("means"), joined("{before}, {after}", _meant(form))),
        (
            phrase("changes nothing"),
            joined(
                "{before}, {after}",
                (phrase("{words} ({kind})", words=" ".join(words), kind=kind) for kind, words in spare.items()),
            ),
        ),
    )
    return tuple((what, text) for what, text in rows if text)


def _meant(form: Form) -> list[str]:
    """Lists what the grammar means: the opposite, a wish, another's words."""
    found: list[str] = [phrase("denied")] if form.negative else []
    found += [shown for mark, shown in _MARKS.items() if mark in form.marks]
    return found + [shown for sign, shown in _SIGNS.items() if sign in form.signs]
