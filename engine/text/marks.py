"""Finds control tokens and speakers' labels in untrusted text, in whatever signs they are written, and blanks them.

Text and marks are compared by their folded form: compatibility forms and case are made equal (NFKD, casefold), signs
that look alike become one, such as the many colons, and what a reader hardly sees is left out: spaces, hyphens,
underscores, combining marks, zero-width and bidi signs, variation selectors, tags. Knows no model and no pipeline.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from unicodedata import category, normalize

_BARRIER = "…"
"""Stands for a mark where what is around it would join to another one."""

_ALIKE = {
    ":": "︰∶꞉ːˑ˸׃։܃܄᛬᠃᠉⁚፡፥ꓽ⦂ઃः",
    "<": "‹〈〈⟨❬❮❰˂ᐸ⧼≺«《⟪≪⪡",
    ">": "›〉〉⟩❭❯❱˃ᐳ⧽≻»》⟫≫⪢",
    "[": "【〔⟦❲〖〚⁅",
    "]": "】〕⟧❳〗〛⁆",
    "|": "∣ǀ│┃❘❙❚⏐╎╏┆┇¦∥‖丨ㅣᅵ⎮⎸⎹￤￨",
    "/": "⁄∕⧸╱⟋",
    "#": "♯",
    "": "_-‐‑‒–—―−⁃‿⁀ˍ▁\u2800\u115f\u1160\u3164\uffa0\ufffc\U0001d159",
}
_SIGNS = {sign: meant for meant, signs in _ALIKE.items() for sign in signs} | {_BARRIER: "\0"}
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"))
_MOST_KEPT = 20_000

_SET_OFF = r"(?:\([^()]{0,20}\))?[^\w:]{0,4}"
_ANGLES = re.compile(r"<[^<>\0]{1,64}>")
_SQUARES = re.compile(r"\[[^\[\]\0]{1,64}\]")
_TOKENS = """
<s> </s> <unk> <pad> <bos> <eos> <eot> <eom> <mask> <cls> <sep> <sys> </sys> <inst> </inst> <role> </role>
<start_of_turn> <end_of_turn> <end_of_utterance> <end_of_text> <endoftext> <begin_of_text> <turn> </turn>
<start_of_image> <end_of_image> <reponame> <repo> <pre> <suf> <mid>
<fim_prefix> <fim_middle> <fim_suffix> <fim_pad> <fim_repo> <<SYS>> <</SYS>> [e~[
[INST] [/INST] [BOS] [EOS] [EOT] [PAD] [UNK] [CLS] [SEP] [MASK] [SYS] [/SYS]
[SYSTEM_PROMPT] [/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS]
"""
COMMON = frozenset(_TOKENS.split())
"""Control tokens of widespread models, beside every `<|…|>`: among them all that llama.cpp takes for one by their text
alone, whatever the file says of them."""


class _Fold(dict[int, str]):
    """The folded form of a character by its code, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = _SIGNS.get(chr(code))
        if folded is None:
            folded = "".join(map(_seen, normalize("NFKD", normalize("NFKD", chr(code)).casefold())))
        if len(self) < _MOST_KEPT:
            self[code] = folded
        return folded


def _seen(char: str) -> str:
    alike = _SIGNS.get(char)
    if alike is not None:
        return alike
    return "" if category(char) in _UNSEEN else char


_FOLD = _Fold()


def folded(text: str) -> str:
    """`text` in the form in which marks are compared."""
    return text.translate(_FOLD)


class Marks:
    """A set of control tokens, with those in `COMMON` and all of the form `<|…|>`."""

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        marks = {mark for token in (*COMMON, *tokens) if (mark := folded(token))}
        # Most are found by their brackets and looked up: a vocabulary has thousands.
        self._shaped = frozenset(mark for mark in marks if _ANGLES.fullmatch(mark) or _SQUARES.fullmatch(mark))
        others = sorted(marks - self._shaped, key=len, reverse=True)
        self._others = re.compile("|".join(map(re.escape, others)))

    def blanked(self, text: str) -> str:
        """`text` with a space for every mark in it."""
        places = list(self._found(folded(text)))
        if not places:
            return text
        spaced = _replaced(text, places, " ")
        return _replaced(text, places, _BARRIER) if any(self._found(folded(spaced))) else spaced

    def _found(self, form: str) -> Iterator[tuple[int, int]]:
        for found in (*_ANGLES.finditer(form), *_SQUARES.finditer(form)):
            if found[0] in self._shaped or found[0].startswith("<|") or found[0].endswith("|>"):
                yield found.span()
        for found in self._others.finditer(form):
            yield found.span()


def unlabelled(text: str, labels: Collection[str]) -> str:
    """`text` with a comma for the colon behind each of the `labels`, and behind what may stand in between: signs that
    close or set off the label, and a remark in brackets.
    """
    form = folded(text)
    known = [re.escape(label) for label in map(folded, labels) if label]
    if ":" not in form or not known:
        return text
    colons = [found.span(1) for found in re.finditer(rf"(?:{'|'.join(known)}){_SET_OFF}(:+)", form)]
    return _replaced(text, colons, "、") if colons else text


def _replaced(text: str, places: Iterable[tuple[int, int]], by: str) -> str:
    """`text` with `by` for what stands at these places of its folded form; places that overlap become one."""
    origin = [index for index, char in enumerate(text) for _ in _FOLD[ord(char)]]
    pieces: list[str] = []
    done = 0
    for start, end in sorted(places):
        first, last = origin[start], origin[end - 1] + 1
        if first >= done:
            pieces += text[done:first], by
        done = max(done, last)
    return "".join((*pieces, text[done:]))
