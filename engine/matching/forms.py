"""Takes a text apart once, so that comparing only looks at plain data: words, grammar, polarity, voice.

A `Form` holds strings and tuples of strings: a compiled pipeline stores the forms of its triggers. A word that changes
nothing (address, filler, politeness, intensity, a time that is now) is set apart as spare; where a clause has nothing
else, the spare words are its content: `それでいい` and `もういい` are not one sentence. Knows words, not triggers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from engine.core.record import replace
from engine.matching import grammar
from engine.matching.clause import PAUSES, Clause, Here
from engine.matching.colloquial import plain
from engine.matching.japanese import OF_A_SUBJECT, read_japanese
from engine.matching.latin import read_latin, read_latin_word
from engine.matching.trigger import NOTHING, Form, Lexicon
from engine.text.normalise import flatten, fold, hiragana, normalise, repeated, undrawn
from engine.text.words import LATIN, Word, analyse, read

_JOINING = frozenset("・-/&+")


def clauses(words: Sequence[Word], lexicon: Lexicon) -> list[Clause]:
    """The clauses that say anything, in order."""
    found = [Clause()]
    place = 0
    while place < len(words):
        word = words[place]
        if word.tags[0] in PAUSES and word.surface not in _JOINING:
            before = words[place - 1] if place else None
            # A question mark behind ね or よ only asks for a nod: いいよね.
            nods = before and before.tags[1:2] == ("終助詞",) and before.form in ("ね", "よ", "な")
            if "?" in word.form and not nods:
                found[-1].marks.add("asks")
            if found[-1].written:
                found.append(Clause())
            place += 1
            continue
        place += _read(Here(words, place, found[-1], lexicon))
    return [clause for clause in found if clause.written]


def _read(here: Here) -> int:
    """Reads a word into its clause; how many were taken."""
    own = here.lexicon.at(here.words, here.place)
    if own is not None:
        return _own(here, *own)
    if here.word.tags[0] == LATIN:
        here.take()
        read_latin_word(here)
        return 1
    return read_japanese(here)


def _own(here: Here, size: int, kind: str, name: str) -> int:
    """Reads a word of the pipeline's own; gives how many were taken."""
    here.take(size)
    if kind == "address":
        here.clause.spare.append((name, kind))
        after = here.words[here.place + size] if here.place + size < len(here.words) else None
        here.clause.marks.add("you" if after is not None and after.form in OF_A_SUBJECT else "called")
    else:
        taken = here.words[here.place : here.place + size]
        surface, reading = "".join(word.surface for word in taken), "".join(word.reading for word in taken)
        here.clause.words.append((name, surface, reading, True))
    return size


_NEGATION = re.compile(
    "な(?<![少危汚切]な)(?:い(?=$|[^ぁ-ん]|[でかよねわのとがけしんだすなほまっじ])|かった|くて|ければ|きゃ)"
    "|ません|まへん|へん(?=$|[わでかねよ])|ん(?<=[られき]ん)(?<!さっきん)(?=$|[わでかねよけしと])|ずに"
    "|ねえ$(?<=[かがさたなばまらわえけげせてねべめれんき]ねえ)|わけ(?:が|は|じゃ)?な"
    "|(?<=[かさたなばまらわえけせてねべめれき出見寝着得来])なくな(?=[っりるら])|嫌い|きらい|苦手"
)
_NOT_NEGATION = re.compile(
    "すみません|すいません|申し訳(?:あり|ござい)ません"
    "|もらえ(?:ません|ない)|いただけ(?:ません|ない)|頂け(?:ません|ない)|くれ(?:ません|ない)"
    "|かもしれ(?:ない|ません)|なければな(?:らない|りません)|なきゃ(?:いけない)?|ないといけない|じゃないですか"
    "|(?:すく|あぶ|せつ|つまら|つまん|くだら)な(?=[いかくけ])|(?<![ぁ-ん])きたな(?=[いかくけ])"
    "|ないと(?=[ねなよ]*$)|ませんか|くない\\?|じゃない\\?|ない(?:の|ん?です)?か?\\?|てたまらない|みません"
)


def negative(folded: str) -> bool:
    """Whether the text denies, refuses or cannot: an odd count of negations that are not mere politeness."""
    plain = hiragana(folded)
    count = 0
    if _NEGATION.search(plain):
        count = len(_NEGATION.findall(_NOT_NEGATION.sub("", plain)))
    return (count + sum(word in grammar.ENGLISH_NOT for word in _LATIN.findall(folded))) % 2 == 1


_QUOTED = re.compile('「.+?[」"]|『.+?』|".+?"|“.+?”')
_SAYING = (
    "(?:言|いわれ|いっ|いう|書|聞|送|返|伝|叫|噂|歌|呼|訳|鼻|手紙|かい|曲|英語|中国語|日本語"
    "|何[てと語]|なん[てと]|どう[言い])"
)
_REPORT = re.compile(
    f"って{_SAYING}|と(?<!っと){_SAYING}|とか{_SAYING}|らしい|だって$(?<=[んな]だって)|という(?!か)|口癖"
)
_IRONY = re.compile(
    "わけ(?:が|は|じゃ)?な|わけねえ|どこが|何が.*だ|もんか$|ものか$|とでも|口が裂け|どころか|なんて(?<=\\wなんて)"
    "|なんか(?<=[くり]なんか)|なんか(?<=[^\\Wぁ-ゖ]なんか)|で済|と言いたい|くせに|と思ったら|と言えたら|のは.*だけ"
)


def signs(folded: str) -> str:
    """`q` where words stand in quotation marks inside more text, `r` for reported speech, `i` for irony or denial."""
    quoted = _QUOTED.search(folded)
    found = "q" if quoted and len(flatten(_QUOTED.sub("", folded))) > 2 else ""
    told = _REPORT.search(folded) or not grammar.ENGLISH_SAYING.isdisjoint(_LATIN.findall(folded))
    found += "r" if told else ""
    return found + ("i" if _IRONY.search(folded) else "")


LOOKED_AT = 500
"""Characters that are taken apart: no trigger is nearly as long, and some patterns are quadratic."""

_KATAKANA = re.compile("([ァ-ヺ][ァ-ヺー]*)")
_SIGNS = re.compile(r"[^\w\s、。,.!?…・'\"“”「」『』()〜~\-/&+%¥$:;]+")
"""Emoji and other signs that no dictionary reads."""
_O = "おこごそぞとどのほぼぽもよょろ"
_E = "えけげせぜてでねへべぺめれ"
_LONG = re.compile(
    f"っ|を|ー|う(?<=[{_O}]う)|お(?<=[{_O}]お)|い(?<=[{_E}]い)|え(?<=[{_E}]え)"
    "|あ(?<=[かがさざただなはばぱまやゃらわ]あ)|い(?<=[きぎしじちぢにひびぴみり]い)|う(?<=[くぐすずつづぬふぶぷむゆゅる]う)"
)
_LATIN = re.compile("[a-z]+")


def lexicon(address: Iterable[str], synonyms: Iterable[Sequence[str]]) -> Lexicon:
    """The words of a pipeline, analysed."""
    entries: dict[tuple[str, ...], tuple[str, str]] = {}
    for one in address:
        if forms := tuple(word.form for word in analyse(one)):
            entries.setdefault(forms, ("address", one))
    for group in synonyms:
        for one in group:
            if forms := tuple(word.form for word in analyse(one)):
                entries.setdefault(forms, ("same", group[0]))
    return Lexicon((forms, kind, name) for forms, (kind, name) in entries.items())


def form(text: str, lexicon: Lexicon = NOTHING) -> Form:
    """Take a text apart. Never fails; a text of signs alone gives a form whose only content is `text`."""
    return _whole(text, lexicon)[0]


def unread(text: str) -> Form:
    """The form of a text that is looked for as it stands: its normal form, and no words."""
    return Form(
        text=normalise(text),
        core="",
        bag="",
        sound="",
        words=(),
        spare=(),
        numbers=(),
        questions=(),
        times=(),
        marks=(),
        signs="",
        negative=False,
        short=True,
        effort=0,
    )


def takes(text: str, lexicon: Lexicon = NOTHING) -> tuple[Form, ...]:
    """The form of the whole text, then those of its parts that may decide alone: what is left without openers, and the
    clause that says most, and the last one where it leads on from a remark.
    """
    whole, found, real = _whole(text, lexicon)
    if len(found) < 2:
        return (whole,)
    parts: list[Sequence[Clause]] = [] if len(real) == len(found) else [real]
    if len(real) > 1:
        most = max(range(len(real)), key=lambda place: (real[place].informs, real[place].weight, place))
        if not any(clause.concedes for clause in real[most + 1 :]):
            parts.append([real[most]])
        if most != len(real) - 1 and real[-1].leads:
            parts.append([real[-1]])
    return (whole, *(_part(whole, part) for part in parts))


def _whole(text: str, lexicon: Lexicon) -> tuple[Form, Sequence[Clause], Sequence[Clause]]:
    """The form of the whole text, its clauses, and those of them that do more than open it."""
    folded = fold(text)
    full = flatten(folded) or normalise(text)
    said = _steady(plain(folded[:LOOKED_AT]))
    words, effort = read(said)
    found = clauses(words, lexicon)
    for clause, following in pairwise(found):
        if clause.opens:
            # Who is told of or talked to in an opener is so in the next clause: 俺、疲れた.
            following.marks |= clause.marks & _PERSONS
    real = [clause for clause in found if not clause.opens] or found
    return _form(full, said, real, effort), found, real


_PERSONS = frozenset({"me", "you", "called"})


def _part(whole: Form, part: Sequence[Clause]) -> Form:
    """Quotation and irony reach over clauses."""
    written = " ".join(clause.written for clause in part)
    return replace(_form(flatten(written), written, part, read(written)[1]), signs=whole.signs)


def steady(text: str) -> str:
    """Prepares a text for the analyser: folded, in plain words, nothing drawn out."""
    return _steady(plain(fold(text)[:LOOKED_AT]))


def _steady(text: str) -> str:
    """Takes out what is drawn out; a long vowel in katakana is part of its word (ビール)."""
    text = _SIGNS.sub(" ", text)
    if text.isascii():
        return repeated(text)
    pieces = _KATAKANA.split(text)
    pieces[::2] = [repeated(undrawn(piece)) for piece in pieces[::2]]
    pieces[1::2] = [repeated(re.sub("ー{2,}", "ー", piece)) for piece in pieces[1::2]]
    return "".join(pieces)


def _form(full: str, written: str, parts: Sequence[Clause], effort: int) -> Form:
    words = [word for clause in parts for word in clause.words]
    spare = [one for clause in parts for one in clause.spare]
    numbers = tuple(sorted(number for clause in parts for number in clause.numbers))
    questions = tuple(sorted({asked for clause in parts for asked in clause.questions}))
    times = tuple(sorted({time for clause in parts for time in clause.times}))
    bare = not numbers and all(word[0] in grammar.FUNCTIONAL for word in words)
    if bare and words:
        words += [word for clause in parts for word in clause.pointing]
    elif bare:
        # Where there is no content, spare words count; a question word needs nothing that it points at.
        standing = [one for clause in parts for one in clause.standing_in]
        words += [word for kind, word in standing if kind == "light" or not questions]
    for kinds in (("telling",), ("filler", "request")):
        words = words or [(form, form, form, True) for form, kind in spare if kind in kinds and bare]
    told = [word[0] for word in words]
    beside = [*numbers, *questions, *times]
    # What happened did so at some time (`refusals.time`): a text is not found by a time in the past.
    happened = any("past" in clause.marks for clause in parts) and grammar.PAST_TIMES.issuperset(times)
    return Form(
        text=full,
        core="".join([*told, *beside]),
        bag=" ".join(sorted({*told, *numbers, *questions, *(() if happened else times)})),
        sound=heard("".join(clause.reading for clause in parts)),
        words=tuple(words),
        spare=tuple(spare),
        numbers=numbers,
        questions=questions,
        times=times,
        marks=tuple(sorted({mark for clause in parts for mark in clause.marks} | ({"bare"} if bare else set()))),
        signs=signs(written),
        negative=negative(written),
        short=bare or len(words) + len(numbers) + len(questions) < 2,
        effort=effort,
    )


@lru_cache(maxsize=8192)
def heard(reading: str) -> str:
    """Katakana and Latin words as they sound: without long vowels; a last は is said わ."""
    steady = _LONG.sub("", hiragana(_LATIN.sub(lambda match: read_latin(match[0]), reading)))
    return f"{steady[:-1]}わ" if steady.endswith("は") else steady
