"""`words` triggers: words that a sentence must say in this order, in any inflection. Knows words, no replies."""

from __future__ import annotations

from collections.abc import Sequence

from engine.matching import grammar
from engine.matching.clause import PAUSES
from engine.matching.forms import steady
from engine.matching.lexicon import Lexicon
from engine.text.words import Word, analyse

_NOT = "ない"


def taken_apart(text: str, lexicon: Lexicon) -> Sequence[Sequence[str]]:
    """The words of a trigger, each as the forms that the dictionary makes of it: 取り消す is 取る and 消す."""
    return [forms for forms in (_forms(word, lexicon) for word in text.split()) if forms]


def _forms(text: str, lexicon: Lexicon) -> list[str]:
    return [_form(word, lexicon) for word in analyse(text) if word.tags[0] not in PAUSES]


def _form(word: Word, lexicon: Lexicon) -> str:
    return _NOT if word.form in grammar.NEGATIVE else lexicon.same.get(word.form, word.form)


def sentences(text: str, lexicon: Lexicon) -> Sequence[Sequence[str]]:
    """The forms of an utterance's words, up to each pause."""
    found: list[list[str]] = [[]]
    for word in analyse(steady(text)):
        if word.tags[0] in PAUSES:
            found.append([])
        else:
            found[-1].append(_form(word, lexicon))
    return found


def said(words: Sequence[Sequence[str]], sentence: Sequence[str]) -> bool:
    """Whether the sentence has these words in this order, and denies none of them."""
    if not words:
        return False
    own = {form for forms in words for form in forms}
    place = 0
    for number, forms in enumerate(words):
        start = _find(forms, sentence, place)
        if start < 0:
            return False
        if number and _NOT not in own and _NOT in sentence[place:start]:
            return False
        place = start + len(forms)
    return not (place < len(sentence) and sentence[place] == _NOT)


def _find(forms: Sequence[str], sentence: Sequence[str], place: int) -> int:
    size = len(forms)
    return next((at for at in range(place, len(sentence) - size + 1) if sentence[at : at + size] == forms), -1)
