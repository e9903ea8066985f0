"""Finds the stems of English words: contractions opened, inflection taken off. Knows no Japanese and no triggers.

The stemmer is light on purpose: it makes one word of `closing`, `closed` and `closes`, and leaves derived words apart
(`close`, `closet`). Irregular verbs and plurals stand in a table.
"""

from __future__ import annotations

from functools import lru_cache

_NOT = "not"
_WHOLE = {
    "cannot": ("can", _NOT), "cant": ("can", _NOT), "wont": ("will", _NOT), "shant": ("shall", _NOT),
    "aint": ("be", _NOT), "im": ("i", "am"), "ive": ("i", "have"), "youre": ("you", "are"), "youve": ("you", "have"),
    "youll": ("you", "will"), "hes": ("he", "is"), "shes": ("she", "is"), "theyre": ("they", "are"),
    "theyve": ("they", "have"), "weve": ("we", "have"), "itll": ("it", "will"), "thats": ("that", "is"),
    "whats": ("what", "is"), "wheres": ("where", "is"), "hows": ("how", "is"), "whos": ("who", "is"),
    "whens": ("when", "is"), "theres": ("there", "is"), "heres": ("here", "is"), "lets": ("let", "us"),
    "gonna": ("going", "to"), "wanna": ("want", "to"), "gotta": ("have", "to"), "gimme": ("give", "me"),
    "lemme": ("let", "me"), "dunno": ("do", _NOT, "know"), "kinda": ("kind", "of"), "u": ("you",), "ur": ("your",),
    "thx": ("thanks",), "thanx": ("thanks",), "pls": ("please",), "plz": ("please",), "ya": ("you",), "yall": ("you",),
    "its": ("it", "is"), "whatre": ("what", "are"), "wherere": ("where", "are"), "howre": ("how", "are"),
    "okay": ("ok",), "k": ("ok",), "whatd": ("what", "did"), "howd": ("how", "did"),
}  # fmt: skip
"""Contractions with the apostrophe dropped, and words run together in writing."""
_DENIED = "do does did is are was were have has had could would should must need might"
_WHOLE |= {f"{verb}nt": (verb, _NOT) for verb in _DENIED.split(" ")}
_ENDINGS = {"s": "is", "re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am", "t": _NOT}

_IRREGULAR = """
be am is are was were been being, have has had having, do does did done doing, go went gone goes going,
say said says, leave left, lose lost, get got gotten getting, make made, take took taken, come came, see saw seen,
know knew known, think thought, feel felt, tell told, find found, give gave given, buy bought, eat ate eaten,
drink drank drunk, forget forgot forgotten, break broke broken, sleep slept, keep kept, meet met, pay paid, run ran,
win won, write wrote written, speak spoke spoken, hear heard, hold held, bring brought, begin began begun,
fall fell fallen, catch caught, teach taught, send sent, spend spent, sell sold, sit sat, stand stood,
understand understood, sing sang sung, wear wore worn, choose chose chosen, drive drove driven, steal stole stolen,
fight fought, become became, build built, die died dies dying, lie lied lies lying, grow grew grown,
throw threw thrown, fly flew flown, ride rode ridden, wake woke woken, man men, woman women,
child children kids kid, person people persons, foot feet, tooth teeth, wife wives, life lives, good well
"""
"""Each base with the forms that it is the base of."""
_BASES = {form: base for base, *forms in (entry.split() for entry in _IRREGULAR.split(",")) for form in forms}
del _BASES["well"]

_WHOLE_WORDS = """
morning evening nothing something anything everything during wedding building ceiling thing king ring spring
string wing hundred sacred naked news bus gas yes always perhaps plus thus this his hers ours yours theirs as is
was has does us series species lens christmas glasses maths across less unless red bed need speed feed
"""
_UNINFLECTED = frozenset(_WHOLE_WORDS.split())
"""Words whose ending is no inflection."""
_VOWELS = frozenset("aeiouy")
_SHORTEST = 3


def opened(word: str) -> tuple[str, ...]:
    """Opens a Latin word (lower case, apostrophes as typed) into the words it stands for: `won't` is `will`, `not`."""
    plain = word.replace("’", "'").strip("'")
    whole = _WHOLE.get(plain.replace("'", ""))
    if whole is not None:
        return whole
    head, apostrophe, tail = plain.rpartition("'")
    if not apostrophe:
        return (plain,)
    return (head, _ENDINGS[tail]) if tail in _ENDINGS and head.isalpha() else (plain.replace("'", ""),)


def is_past(word: str) -> bool:
    """Whether a Latin word in lower case looks like a past tense or a past participle."""
    return word.endswith("ed") or (word in _BASES and not word.endswith(("s", "ing")))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Gives one form for the inflections of a Latin word in lower case: `closes`, `closed`, `closing` give `clos`."""
    base = _BASES.get(word)
    if base is not None:
        return _without_e(base)
    if word in _UNINFLECTED or len(word) <= _SHORTEST:
        return word
    return _without_e(_uninflected(word))


def _uninflected(word: str) -> str:
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 1 and not _VOWELS.isdisjoint(rest):
            # `stopp` is `stop`, but `call` and `miss` are doubled by nature.
            return rest[:-1] if len(rest) > 2 and rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_e(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST and word.endswith("e") and not word.endswith("ee") else word


_NEIGHBOURS = """
accept except adapt adopt advice advise affect effect angel angle badge badger bread beard board broad brake break
breath breathe business busyness cancel cancer casual causal change charge charger changer cloth clothes coast cost
contact contract contrast cost costume custom customer county country course coarse dairy diary desert dessert
device devise diner dinner draft draught expand expend expense expanse former farmer form from hotel hostel later
latter launch lunch lighting lightning loose lose lost last manger manager marital martial massage message moral
morale morning mourning paper pepper parent patent patient personal personnel phase phrase plane plant planet price
prize pride principal principle print point protect protest quiet quite recipe receipt report resort request quest
sales scales scan scam server sever severe sight silver sliver solid sold star start stair stationary stationery
steam stream store story sweat sweet table tablet though through thorough thought track truck trail trial training
raining united untied vacation vocation waist waste weather whether widow window winner winter word world work
"""
NEIGHBOURS = frozenset(map(stem, _NEIGHBOURS.split()))
"""Stems that are a letter from another common word, as guides to spelling list them: no slips of each other."""
