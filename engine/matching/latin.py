"""Reads an English word as content, as grammar, or as spare; and Japanese typed in Latin letters. Knows no triggers."""

from __future__ import annotations

import re

from engine.matching import grammar
from engine.matching.clause import Here
from engine.text.english import is_past, stem

_ROWS = {
    "": "あいうえお",
    "k": "かきくけこ",
    "g": "がぎぐげご",
    "s": "さしすせそ",
    "z": "ざじずぜぞ",
    "t": "たちつてと",
    "d": "だぢづでど",
    "n": "なにぬねの",
    "h": "はひふへほ",
    "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
    "m": "まみむめも",
    "r": "らりるれろ",
}
_GLIDES = {"ya": "や", "yu": "ゆ", "yo": "よ", "yi": "い", "ye": "いえ", "wa": "わ", "wi": "うぃ"}
_GLIDES |= {"wu": "う", "we": "うぇ", "wo": "を"}
_PALATAL = {"sh": "し", "ch": "ち", "j": "じ", "f": "ふ", "ts": "つ"}


def _syllables() -> dict[str, str]:
    table = {c + v: kana for c, row in _ROWS.items() for v, kana in zip("aiueo", row, strict=True)} | _GLIDES
    for consonant, row in _ROWS.items():
        if consonant:
            table |= {f"{consonant}y{v}": row[1] + small for v, small in zip("auo", "ゃゅょ", strict=True)}
    for consonant, kana in _PALATAL.items():
        smalls = "ぁぃぅぇぉ" if kana in "ふつ" else "ゃぃゅぇょ"
        table |= {consonant + v: kana + small for v, small in zip("aiueo", smalls, strict=True)}
        table[consonant + ("u" if kana in "ふつ" else "i")] = kana
    return table | {"n": "ん"}


_SYLLABLES = _syllables()
_ROMAJI = re.compile(
    "(?:(?:[kgsztdnhbpmrfwj]|[kgnhbpmr]y|y|sh|ch|ts|kk|ss|tt|pp|ssh|tch|cch|kky|ppy)?[aiueo]|n(?![aiueoy]))+"
)
SHORTEST = 4
"""Shorter Latin words are codes and English (ai, vpn, hi) far more often than typed Japanese."""


def read_latin(word: str) -> str:
    """Reads a Latin word (lower case) as hiragana where it is typed Japanese, else as it is."""
    if len(word) < SHORTEST or not _ROMAJI.fullmatch(word):
        return word
    heard: list[str] = []
    place = 0
    while place < len(word):
        for size in (3, 2, 1):
            kana = _SYLLABLES.get(word[place : place + size])
            if kana is not None:
                heard.append(kana)
                place += size
                break
        else:
            place += 1
    return "".join(heard)


_DOUBLED = re.compile(r"(.)\1+")
_STRETCHED = re.compile(r"([^efls])\1+$")
"""A stretched last letter: youu, morningg."""
_SHORTEST_STRETCHED = 4

NUMBERS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "half": "0.5",
}  # fmt: skip


def read_latin_word(here: Here) -> None:
    """Reads the word into its clause."""
    here.form = _unstretched(here.form)
    _mood(here)
    meant = _meant(here.form, here.form_at(1), here.form_at(2))
    here.clause.marks.update(meant)
    if meant:
        return
    kind = grammar.ENGLISH_CLASS_OF.get(here.form, "content")
    match kind:
        case "question":
            here.clause.questions.add(grammar.QUESTIONS[here.form])
        case "time":
            here.clause.times.add(here.form)
        case "giving":
            here.clause.marks.add("request")
        case "content" if not _helps(here):
            _content(here)
        case "content":
            here.spare("light")
        case _ if _is_content(kind, here):
            here.content(here.form)
        case _ if kind not in ("not", "place"):
            here.spare("light" if kind == "like" else kind)
            if here.word.lemma in ("did", "was", "were", "had"):
                here.clause.marks.add("past")


def _is_content(kind: str, here: Here) -> bool:
    """Whether a word that is grammar elsewhere is content here: good morning, i like it, log in."""
    before = here.form_at(-1)
    if kind == "place":
        last = here.ends() or grammar.ENGLISH_CLASS_OF.get(here.form_at(1)) == "now"
        return before in grammar.ENGLISH_KEPT_AFTER or (last and here.place > 0)
    if kind == "now":
        return before == "good"
    return kind == "like" and before not in ("would", "id", "look", "feel", "seem")


def _helps(here: Here) -> bool:
    """Whether a word only helps the verb after it: would you mind closing, be able to, keeps freezing."""
    if here.form == "abl":
        return here.form_at(1) == "to"
    if here.form in ("think", "guess", "feel"):
        return here.form_at(-1) in ("i", "be") and not here.ends() and here.form_at(1) not in ("of", "about", "like")
    if here.form == "mind":
        return here.form_at(-1) == "you"
    return here.form == "keep" and here.after is not None and here.after.lemma.endswith("ing")


def _content(here: Here) -> None:
    if here.word.lemma in NUMBERS:
        here.clause.numbers.append(NUMBERS[here.word.lemma])
        return
    here.content(here.form)
    if is_past(here.word.lemma):
        here.clause.marks.add("past")


def _unstretched(form: str) -> str:
    """`youu` is you, `soo` is so."""
    single = _DOUBLED.sub(r"\1", form)
    if form not in grammar.ENGLISH_CLASS_OF and grammar.ENGLISH_CLASS_OF.get(single) in ("intensity", "filler"):
        return single
    return _STRETCHED.sub(r"\1", form) if len(form) >= _SHORTEST_STRETCHED else form


_PERSON = {"i": ("me",), "we": ("me",), "you": ("you",)}
_OTHER = {"i": "you", "you": "me"}
_ASKING = frozenset({"can", "could", "may", "would", "will"})


def _mood(here: Here) -> None:
    """Whether the clause asks or tells, by its first word."""
    marks = here.clause.marks
    if here.form in ("i", "we"):
        marks.add("self")
    if len(here.clause.reading) > len(here.word.reading):
        return
    after = here.form_at(1)
    if here.form in grammar.SUBJECTS or (here.form in grammar.SHOWN and after in grammar.HELPERS):
        marks.add("tells")
        marks.update(_PERSON.get(here.form, ()))
    elif here.form in grammar.HELPERS and after in grammar.STANDING:
        marks.add("asks")
        if here.form not in _ASKING or _OTHER.get(after) in [word.form for word in here.words[here.place + 2 :]]:
            marks.update(_PERSON.get(after, ()))


_GIVING = {(stem("give"), "me"), (stem("bring"), "me"), (stem("hand"), "me")}


def _meant(form: str, after: str, then: str) -> tuple[str, ...]:
    """Finds the marks of `want to`, `going to`, `can you` and `would like`."""
    if form in ("want", "need") and after == "to":
        return ("want", "doing")
    if form == "go" and after == "to" and then not in ("the", "a", "my", ""):
        return ("about",)
    if form in ("should", "must") or (form == "hav" and after == "to"):
        return ("must",)
    if (form, after) in _GIVING:
        return ("request",)
    if form in ("will", "shall") and after not in ("i", "you", "we"):
        return ("will",)
    asks = form in _ASKING and after in ("i", "you", "we")
    return ("request",) if asks or (form == "id" and after == stem("like")) else ()
