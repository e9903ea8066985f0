"""Reads a Japanese word as content, as grammar, or as spare. Knows the dictionary's parts of speech, no triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.matching import grammar
from engine.matching.clause import PAUSES, Here
from engine.text.words import Word

_COUNTER = {"名": "人", "才": "歳"}
_CALENDAR = frozenset("日月年週人")
_NUMERALS_IN_KANA = frozenset({"ひと", "ふた", "みっ", "よっ", "いく"})
"""The only ones that count: ご, さん and し are seldom numbers."""


def read_japanese(here: Here) -> int:
    """Reads the word into its clause; how many were taken: a number takes its counter."""
    tag, sub = here.word.tags[:2]
    if (tag == "名詞" and sub == "数詞") or (here.form == "何" and _counts(here.after)):
        return _number(here)
    here.take()
    _PARTS_OF_SPEECH.get(tag, _independent)(here)
    return 1


# --- grammar --------------------------------------------------------------------------------------------------


def _particle(here: Here) -> None:
    sub, form, marks = here.word.tags[1], here.form, here.clause.marks
    if sub == "接続助詞" and form in ("けれど", "のに") and here.ends():
        marks.add("concedes")
    if sub == "終助詞":
        if form in ("か", "け") or (form == "の" and here.form_at(1) == "?"):
            marks.add("asks")
        elif form in ("よ", "ぞ", "ぜ", "わ"):
            marks.add("tells")
    elif form == "て" and here.form_at(-1) != "仕舞う" and (here.ends() or here.form_at(1) in ("よ", "ね", "や")):
        marks.add("bids")
    elif form in grammar.KEPT_PARTICLES or (
        form == "から" and sub == "格助詞" and (here.form_at(-1) in grammar.QUESTIONS or _counts(here.before))
    ):
        here.content()


def _auxiliary(here: Here) -> None:
    form, marks = here.form, here.clause.marks
    if form in ("だ", "です") and "終止形" in here.word.tags[-1] and _closes(here):
        marks.add("states")
    if form in ("ます", "ない", "ず") and _is_final(here.word):
        marks.add("present")
    if form in ("ます", "ちゃう") and _is_meant(here.word):
        marks.add("will")
    if form == "た":
        marks.add("if" if "仮定形" in here.word.tags[-1] else "past")
    elif form in ("てる", "とる"):
        marks.add("on")
    elif form in ("ず", "ない"):
        if "仮定形" in here.word.tags[-1] or here.word.surface in ("なきゃ", "なくちゃ"):
            marks.add("must")
    elif form in grammar.MEANING and not _cannot(here):
        marks.add(grammar.MEANING[form])
        if grammar.MEANING[form] == "by":
            marks.update(_roles(here))


def _roles(here: Here) -> Iterator[str]:
    """Whether it is told by whom something is done, and to whom: 上司に怒られた, 上司が怒られた."""
    for place in range(here.place - 1, 0, -1):
        word, before = here.words[place], here.words[place - 1]
        if word.tags[0] in PAUSES:
            return
        if word.tags[0] == "助詞" and before.tags[0] in ("名詞", "代名詞", "接尾辞"):
            if word.form in ("に", "から"):
                yield "doer"
            elif word.form in ("が", "は", "も"):
                yield "bearer"


def _is_final(word: Word) -> bool:
    """Whether the word ends a verb in its plain present."""
    return "終止形" in word.tags[-1] or "連体形" in word.tags[-1]


def _closes(here: Here) -> bool:
    """Whether nothing but particles of mood follows in the clause."""
    place = here.place + 1
    while place < len(here.words) and (here.words[place].form == "です" or here.words[place].tags[1:2] == ("終助詞",)):
        place += 1
    return here.ends(place - here.place)


def _is_meant(word: Word) -> bool:
    """Whether a verb says what one is about to do: 帰ろう."""
    return "意志推量形" in word.tags[-1]


def _cannot(here: Here) -> bool:
    """Whether られる behind a verb of one row says what cannot be done: 食べられない."""
    verb = here.before
    return (
        here.form in ("れる", "られる")
        and verb is not None
        and "一段" in "".join(verb.tags[-2:])
        and here.form_at(1) in grammar.NEGATIVE
    )


def _prefix(here: Here) -> None:
    if here.form in grammar.INTENSITY:
        here.spare("intensity")
    elif here.form not in grammar.POLITE_PREFIXES:
        here.content()
    elif here.form_at(2) == "為る" and here.form_at(1) not in grammar.GIVING:
        here.clause.marks.add("humble")


def _suffix(here: Here) -> None:
    if here.form == "過ぎ":
        here.clause.marks.add("too")
    elif here.form in grammar.HONORIFICS:
        here.spare("politeness")
    elif here.form != "的":
        here.content()


def _interjection(here: Here) -> None:
    if here.word.tags[0] == "接続詞" or here.form in grammar.FILLERS or here.word.tags[1] == "フィラー":
        here.spare("filler")
    else:
        here.content()


def _number(here: Here) -> int:
    word, clause = here.word, here.clause
    asked = word.form in ("何", "幾")
    if not asked and "ぁ" <= word.surface[0] <= "ヿ" and word.surface not in _NUMERALS_IN_KANA:
        here.take()
        here.content()
        return 1
    counter = here.after if _counts(here.after) else None
    unit = "" if counter is None else _COUNTER.get(counter.form, counter.form)
    here.take(2 if counter else 1)
    if word.form == "幾":
        clause.questions.add("いくつ")
    elif asked:
        clause.questions.add(f"何{unit}")
    else:
        clause.numbers.append(word.form + unit)
    return 2 if counter else 1


def _counts(word: Word | None) -> bool:
    return word is not None and (word.form in _CALENDAR or "助数詞" in "".join(word.tags[2:3]))


# --- words that stand by themselves ---------------------------------------------------------------------------


def _independent(here: Here) -> None:
    word, marks = here.word, here.clause.marks
    if here.form in grammar.COUNTED:
        here.clause.numbers.append(grammar.COUNTED[here.form])
    elif word.tags[1] == "助動詞語幹":
        if here.form == "そう" and word.tags[0] == "形状詞":
            marks.add("about")
    elif here.form in grammar.AFTER_TE and _after_te(here):
        if here.form in ("居る", "おる"):
            marks.add("on")
    elif here.form == "良い" and _after_te(here, beyond_mo=True):
        marks.add("may")
    else:
        read = _CLASSES.get(grammar.CLASS_OF.get(here.form, ""))
        if read is None or not read(here):
            _content(here)


def _after_te(here: Here, *, beyond_mo: bool = False) -> bool:
    distance = -2 if beyond_mo and here.form_at(-1) == "も" else -1
    return here.form_at(distance) in ("て", "で") and here.words[here.place + distance].tags[1] == "接続助詞"


def _content(here: Here) -> None:
    here.content()
    if here.word.tags[0] == "形容詞" and _is_final(here.word) and _closes(here):
        here.clause.marks.add("states")
    elif here.word.tags[0] == "動詞" and not _names(here):
        marks = here.clause.marks
        marks.add("verb")
        if _is_final(here.word):
            marks.add("present")
        elif _is_meant(here.word):
            marks.add("will")


def _names(here: Here) -> bool:
    """Whether a verb stands for a thing: おすすめは, 売り場."""
    after = here.after
    if after is None or "連用形" not in here.word.tags[-1]:
        return False
    return after.tags[0] in ("名詞", "接尾辞") or (after.tags[0] == "助詞" and after.tags[1] in ("格助詞", "係助詞"))


def _question(here: Here) -> bool:
    """Reads a question word, unless it means something or nothing with what follows: 何か, 誰も, 何でも."""
    form, after = here.form, here.form_at(1)
    if after == "も" or (after == "か" and not here.ends(2)):
        if form in ("何", "何時", "いつ", "どう") and not here.ends(2):
            here.spare("filler")
        else:
            here.content(form + after, written=here.word.surface + here.words[here.place + 1].surface)
    elif after == "で" and here.form_at(2) == "も":
        here.content(f"{form}でも")
    elif here.word.surface == "なん" and here.place and here.ends():
        # いくらなん: a copula.
        return True
    elif (form == "何" and after == "で" and here.word.surface == "なん") or (
        form == "どう" and after == "為る" and here.form_at(2) == "て"
    ):
        here.clause.questions.add("なぜ")
    else:
        here.clause.questions.add(grammar.QUESTIONS[form])
    return True


OF_A_SUBJECT = frozenset({"は", "が", "も", "って"})


def _talker(here: Here) -> bool:
    here.spare("talker")
    # What stands before such a word may be the subject: 俺は, 俺、, 俺疲れた, but not 俺の or 俺を.
    after = here.after
    if after is None or after.tags[0] != "助詞" or after.form in OF_A_SUBJECT:
        if here.form in grammar.SPEAKER:
            here.clause.marks.add("me")
        elif here.form in grammar.LISTENER:
            here.clause.marks.add("you")
    return True


def _time(here: Here) -> bool:
    """Reads a time; one since which something is so changes nothing: 昨日から."""
    if here.form_at(1) == "から":
        here.spare("now")
    else:
        here.clause.times.add(here.form)
    return True


def _filler(here: Here) -> bool:
    if here.word.surface == "姉":
        return False
    here.spare("filler")
    return True


def _intensity(here: Here) -> bool:
    """Sets a word of degree apart, unless it is itself what the clause says: すごい."""
    after = here.after
    grammatical = after is None or here.ends() or after.tags[0] in ("助詞", "助動詞")
    adverb = here.word.tags[0] == "形容詞" and "連用形" in here.word.tags[-1]
    led_by = after is not None and (after.surface == "に" or (after.surface == "で" and not here.ends(2)))
    if grammatical and not adverb and not led_by:
        return False
    here.spare("intensity")
    return True


def _meaning(here: Here) -> bool:
    """すぎる: behind an adjective a word of degree, behind a verb too much."""
    if here.before is not None and here.before.tags[0] in ("形容詞", "形状詞"):
        here.spare("intensity")
    else:
        here.clause.marks.add(grammar.MEANING[here.form])
    return True


def _giving(here: Here) -> bool:
    """A word of giving asks for something, unless it was given: 助けて, 助けてもらった."""
    if here.form_at(1) == "た" or (here.form_at(1) == "ます" and here.form_at(2) == "た"):
        here.clause.marks.update(("by", "past"))
        here.spare("light")
    else:
        here.clause.marks.add("request")
        here.spare("request")
    return True


def _telling(here: Here) -> bool:
    """教えて asks for an answer; 英語を教えている does not."""
    if here.form_at(1) != "て" or not (
        here.ends(2) or here.form_at(2) in grammar.GIVING or here.words[here.place + 2].tags[0] == "助詞"
    ):
        return False
    here.clause.marks.add("request")
    here.spare("telling")
    return True


def _light(here: Here) -> bool:
    if here.form_at(-1) == "だ":
        # いくつでいらっしゃる, 元気である: a copula.
        return True
    here.spare("light")
    if here.form in ("為る", "出来る", "成る"):
        here.clause.marks.add("verb")
        if here.form == "為る":
            here.clause.marks.add("doing")
        if _is_final(here.word):
            here.clause.marks.add("present")
        elif _is_meant(here.word):
            here.clause.marks.add("will")
    return True


def _spare(kind: str) -> Callable[[Here], bool]:
    def read(here: Here) -> bool:
        here.spare(kind)
        return True

    return read


_CLASSES: Mapping[str, Callable[[Here], bool]] = {
    "question": _question,
    "talker": _talker,
    "pointing": _spare("pointing"),
    "now": _spare("now"),
    "time": _time,
    "filler": _filler,
    "intensity": _intensity,
    "meaning": _meaning,
    "giving": _giving,
    "telling": _telling,
    "light": _light,
}
"""How the words of a class of `grammar` are read; false where this one is content after all."""

_PARTS_OF_SPEECH: Mapping[str, Callable[[Here], None]] = {
    "助詞": _particle,
    "助動詞": _auxiliary,
    "接頭辞": _prefix,
    "接尾辞": _suffix,
    "感動詞": _interjection,
    "接続詞": _interjection,
}
