"""A text taken apart once, so that scoring and the guards only compare plain data. Knows grammar, not triggers.

A `Form` holds strings and tuples of strings alone: a compiled artefact can store the forms of its triggers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.matching import grammar
from engine.matching.normalise import flatten, fold, hiragana, normalise, undrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`text` is the normal form; `core` what it says without politeness, particles and fillers; `bag` the core's
    chunks in alphabetical order; `turned` the core with its clauses in reverse. The rest is what the guards compare.
    """

    text: str
    core: str
    bag: str
    turned: str
    kanji: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    questions: tuple[str, ...]
    times: tuple[str, ...]
    persons: tuple[str, ...]
    marks: str
    negative: bool
    asking: bool


_CLAUSE = re.compile(r"[^\w\s]+|_+|(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_RUNS = re.compile(r"([一-鿿々]+)|([ァ-ヺ]+)|([a-z]+(?:\s[a-z]+)*)|(\d+)|([ぁ-ゖゝゞ]+)|([^\s\d])")
_KANJI = re.compile("[一-鿿々]")
_INTERJECTION = re.compile("[あいうえおはふへほんっやぁうお]{1,3}")
_NUMBER = re.compile(r"\d+|[〇一二三四五六七八九十百千]+(?=[人杯本個時分日月年階番枚名回円歳つ件泊席度種])|(?<=第)[一二三四五六七八九十]+")
_LATIN = re.compile("[a-z]+")
_KATA = re.compile("[ァ-ヺ]{2,}")


def _alternatives(words: dict[str, str]) -> re.Pattern[str]:
    latin = sorted((w for w in words if w.isascii()), key=len, reverse=True)
    other = sorted((w for w in words if not w.isascii()), key=len, reverse=True)
    parts = ["|".join(other)] if other else []
    if latin:
        parts.append(rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])")
    return re.compile("|".join(parts))


_QUESTIONS = _alternatives(grammar.QUESTIONS)
_TIMES = _alternatives(grammar.TIMES)
_PERSONS = _alternatives(grammar.PERSONS)
_NEGATION = re.compile(
    "(?<!少)(?<!危)(?<!つまら)(?<!汚)(?<!切)(?:な(?:い|かった|くて|ければ|きゃ)(?!と(?:いけ|なら)))|ません|まへん|へん(?:$|[わでかねよ])|"
    "(?<=く)な[いか]|(?<=[らでれ])ん(?:$|[わでかねよ])|ずに|ねえ$|わけ(?:が|は|じゃ)?な"
)
_NOT_NEGATIVE = re.compile(
    "すみません|すいません|申し訳(?:あり|ござい)ません|(?:もらえ|いただけ|頂け|くれ)(?:ません|ない)|かもしれ(?:ない|ません)|"
    "なければな(?:らない|りません)|なきゃ(?:いけない)?|ないといけない|じゃないですか|ませんか|くない\\?|じゃない\\?|ない(?:の|ん?です)?か?\\?|てたまらない"
)
_QUOTED = re.compile("[「『\"“](.+?)[」』\"”]")
_REPORT = re.compile(
    "(?:って|と|とか)(?:言|いわれ|言わ|いっ|いう|書|聞|送|返|伝|叫|噂|歌|呼|訳|鼻|手紙|かい|曲|歌詞|英語|中国語|日本語|何|なん|どう)|らしい|みたい(?!です?か)|(?:んだ|だ)って$|"
    "という(?!か)|口癖|そうで?だ?$|\\b(?:said|says|say|saying|told|tells|texted|wrote|asked|called)\\b"
)
_IRONY = re.compile(
    "わけ(?:が|は|じゃ)?な|わけねえ|どこが|何が.*だ|もんか$|ものか$|とでも|口が裂け|どころか|なんて|なんか|で済|と言いたい|くせに|と思ったら|といえたら|と言えたら|のは.*だけ"
)


def _tail(text: str, alone: bool) -> tuple[str, str]:
    """The text without its ending, and what the ending meant, as marks."""
    marks = ""
    body = text
    matched = True
    while matched:
        matched = False
        for size in range(min(grammar.LONGEST_TAIL, len(body)), 0, -1):
            mark = grammar.TAILS.get(body[-size:])
            if mark is None or not _enough(body[:-size], alone or size < 3):
                continue
            body = body[:-size]
            if mark in ("て", "で"):
                body += mark
                body, onbin = _onbin(body, grammar.TE)
                return body, (grammar.ONBIN if onbin else "") + marks
            if mark == "" or mark not in marks:
                marks = mark + marks
            matched = True
            break
    shorter, onbin = _onbin(body, grammar.TA)
    if shorter != body:
        return shorter, (grammar.ONBIN if onbin else "") + marks
    shorter, onbin = _onbin(body, grammar.TE)
    if shorter != body:
        request = "" if grammar.REQUEST in marks else grammar.REQUEST
        return shorter, (grammar.ONBIN if onbin else "") + request + marks
    return body, marks


def _enough(body: str, alone: bool) -> bool:
    if not body:
        return not alone
    return len(body) >= 2 or not "ぁ" <= body <= "ゖ"


def _onbin(body: str, endings: frozenset[str]) -> tuple[str, bool]:
    for size in (3, 2, 1):
        if body[-size:] in endings and _enough(body[:-size], True):
            return body[:-size], size > 1
    return body, False


_A_ROW = frozenset("あかがさざただなはばぱまやらわ")
_I_ROW = frozenset("いきぎしじちぢにひびぴみり")
_U_ROW = frozenset("うくぐすずつづぬふぶぷむゆる")


def _stem(chunk: str) -> str:
    """Drop the vowel that inflection changes: 帰る, 帰り and 帰ら give 帰."""
    if len(chunk) < 2 or not "ぁ" <= chunk[-1] <= "ゖ":
        return chunk
    last = chunk[-1]
    rest = chunk[:-1]
    if not _enough(rest, True) or not (last in _A_ROW or last in _I_ROW or last in _U_ROW):
        return chunk
    if last == "る" and rest[-1] in _I_ROW and _enough(rest[:-1], True):
        return rest[:-1]
    return rest


def _chunks(clause: str, alone: bool) -> tuple[list[str], str]:
    """A clause (katakana kept, nothing drawn out) as content chunks in hiragana and the marks of its ending."""
    plain = hiragana(clause)
    for prefix in grammar.PREFIXES:
        if plain.startswith(prefix) and len(plain) > len(prefix) + 1:
            clause, plain = clause[len(prefix) :], plain[len(prefix) :]
            break
    body, marks = _tail(plain, alone)
    chunks: list[str] = []
    previous = ""
    for match in _RUNS.finditer(clause[: len(body)]):
        kind = match.lastindex
        run = hiragana(match.group())
        if kind == 5:
            if previous:
                run, cut = _particle(run)
                if previous == "kanji" and not cut:
                    chunks[-1] += run
                    run = ""
            if run and match.end() < len(body) and len(run) > 2 and run[-1] in "がをにへとのはもで":
                run = run[:-1]
            if run:
                chunks.append(run)
            previous = "hira"
            continue
        if kind == 3:
            words = [w for w in run.split() if w not in grammar.ENGLISH_STOP]
            words = words or run.split()
            chunks.extend(words)
            previous = "latin"
            continue
        if chunks and previous == "hira" and kind == 1 and chunks[-1] in ("お", "ご"):
            chunks.pop()
        if kind == 1 and run[0] == "御" and len(run) > 1:
            run = run[1:]
        chunks.append(run)
        previous = "kanji" if kind == 1 else "other"
    if chunks and grammar.ONBIN not in marks:
        chunks[-1] = _stem(chunks[-1])
    return chunks, marks.replace(grammar.ONBIN, "")


def _particle(run: str) -> tuple[str, bool]:
    for size in (2, 1):
        if run[:size] in grammar.PARTICLES:
            return run[size:], True
    return run, False


_SOUND = re.compile(
    "っ|(?<=[おこごそぞとどのほぼぽもよょろ])う|(?<=[えけげせぜてでねへべぺめれ])い|([^\\d一-鿿])(?=\\1)|を"
    "|(?<=[あかがさざただなはばぱまやゃらわ])あ|(?<=[いきぎしじちぢにひびぴみり])い|(?<=[うくぐすずつづぬふぶぷむゆゅる])う"
)


def _sound(text: str) -> str:
    return _SOUND.sub("", text)


def _clauses(folded: str) -> list[str]:
    clauses = [c for c in (undrawn(part).strip() for part in _CLAUSE.split(folded)) if c]
    kept = [c for c in clauses if not _filler(hiragana(c))]
    return kept or clauses


def _filler(clause: str) -> bool:
    return clause in grammar.FILLERS or _INTERJECTION.fullmatch(clause) is not None


def form(text: str) -> Form:
    """Take a text apart. Never fails; a text of signs alone gives a form whose only content is `text`."""
    folded = fold(text)
    full = flatten(folded) or normalise(text)
    taken = [_chunks(clause, len(folded) == len(clause)) for clause in _clauses(folded)]
    marks = "".join(dict.fromkeys("".join(m for _, m in taken)))
    flat = [c for chunks, _ in taken for c in chunks]
    core = _sound("".join(flat)) + marks
    bag = _sound("".join(sorted(flat))) + marks
    turned = _sound("".join(c for chunks, _ in reversed(taken) for c in chunks)) + marks
    content = "".join(flat)
    return Form(
        text=full,
        core=core,
        bag=bag,
        turned=turned,
        kanji="".join(sorted(set(_KANJI.findall(content)))),
        words=tuple(hiragana(undrawn(w)) for w in _KATA.findall(folded)) + tuple(w for w in _LATIN.findall(content)),
        numbers=tuple(sorted(n.translate(grammar.DIGITS) for n in _NUMBER.findall(folded))),
        questions=_classes(_QUESTIONS, grammar.QUESTIONS, full),
        times=_classes(_TIMES, grammar.TIMES, full),
        persons=_classes(_PERSONS, grammar.PERSONS, full),
        marks=_signs(folded, full),
        negative=_negative(folded),
        asking="?" in folded,
    )


def _classes(pattern: re.Pattern[str], words: dict[str, str], text: str) -> tuple[str, ...]:
    return tuple(sorted({words[found] for found in pattern.findall(text)}))


def _negative(folded: str) -> bool:
    rest = _NOT_NEGATIVE.sub("", hiragana(folded))
    words = _LATIN.findall(folded)
    count = len(_NEGATION.findall(rest)) + sum(w in grammar.ENGLISH_NOT for w in words)
    return count % 2 == 1


def _signs(folded: str, full: str) -> str:
    quoted = _QUOTED.search(folded)
    outside = _QUOTED.sub("", folded) if quoted else ""
    signs = "q" if len(flatten(outside)) > 2 else ""
    signs += "r" if _REPORT.search(folded) else ""
    return signs + ("i" if _IRONY.search(folded) else "")
