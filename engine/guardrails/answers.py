"""Judges a model's answer: each detector is a small function over the completion, named as `escalate_when` names it.

They are heuristics on purpose cheap; a false alarm costs one call of a larger model. `error` and `timeout` are no
functions here: a backend that raises always escalates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher

from rapidfuzz import fuzz

from engine.core.plan import NamedDetector
from engine.core.record import record
from engine.core.turn import Completion, Exchange, Turn
from engine.text.normalise import normalise

_REFUSALS = re.compile(
    r"i(?:'m| am) (?:sorry|unable|not able)|i can(?:'t|not) (?:help|assist|do|provide|answer)|as an ai|"
    r"(?:お答え|お手伝い|ご案内|対応)(?:は|が)?(?:でき(?:ません|かねます)|いたしかねます)|"
    r"(?:申し訳|すみません).{0,30}(?:できません|できかねます|いたしかねます)|(?:ai|人工知能|言語モデル)(?:として|ですので|なので)",
    re.IGNORECASE,
)
ALIKE = 85.0
"""Of 100: two answers that are so alike say the same."""
_RUN = 2
_LEAST_TOLD = 3
_LEAST_OWN = 5
_MOST_OF_IT = 0.6
"""Characters of a run that counts as common, of a text that can be echoed, of own words that make an answer; the share
of a text that makes an echo of it.
"""
_CLAUSE_ENDS = re.compile(r"[、。！？!?,.\n…]")
_QUESTION = re.compile(
    r"[?？]\s*$|(?:ですか|ますか|かな|かしら|なの|なん|の)[。\s]*$|^(?:who|what|when|where|why|how|do|does|is|are|can|could|will|would)\b",
    re.IGNORECASE,
)
_ASKING = frozenset({"order", "shop_question", "persona_question", "ask_human", "follow_up", "task_request"})
_SAD = frozenset({"bad_news", "tired", "complaint", "worry", "despair", "danger", "unsafe_drinking", "apology"})
_CHEERS = re.compile(
    "おめでと|お祝い|祝いましょ|乾杯|素敵(?:だわ|ね|です|じゃない)|すてき(?:だわ|ね)|いいわねえ?|いいじゃない|よかったわ|良かったわ|楽しみ(?:だわ|ね)|"
    "最高ね|羨ましい|うらやましい|congratulat|wonderful|great news|good for you|how (?:lovely|nice|exciting|wonderful)|"
    "that's (?:great|awesome|lovely|nice|amazing)|happy for you|let's celebrate|cheers",
    re.IGNORECASE,
)
_SENTENCE_ENDS = tuple("。！？!?.…♪〜~)）」』\"'”’♡♥★☆")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_FOREIGN = re.compile(r"[\u0400-\u04ff\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f]")


DOUBTS = frozenset({"low_confidence", "truncated"})
"""Objections to an answer that is still better than none."""

_OF_A_SENTENCE = frozenset({"refusal", "repetition", "wrong_language", "cheers_bad_news"})
"""What a single sentence can be wrong by; the others are about an answer as a whole."""
_LEAST_OF_A_LANGUAGE = 24
"""Bytes of a sentence that is in a language: 乾杯、Cheers! may stand in any."""


@record
class Heard:
    """What an answer is held against: the user's text, what she said before, and the kind of sentence that it is.

    `shown` are her replies in the examples that the model saw, `languages` those in which an answer is right.
    """

    text: str
    earlier: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    kind: str | None = None
    languages: frozenset[str] = frozenset({"ja"})

    @property
    def asks(self) -> bool:
        return self.kind in _ASKING or _QUESTION.search(self.text) is not None


def hear(turn: Turn, locale: str, kind: str | None, examples: Iterable[Exchange] = ()) -> Heard:
    """`turn` as its answers are judged; a text without a language is in that of the user's text before it."""
    own = locale.split("-", maxsplit=1)[0]
    texts = (turn.text, *(message.text for message in reversed(turn.history) if message.role == "user"))
    spoken = next((found for found in map(language, texts) if found is not None), own)
    # Without kana, Japanese looks like Chinese.
    languages = {spoken, own} if spoken == "zh" else {spoken}
    earlier = tuple(message.text for message in turn.history if message.role == "assistant")
    shown = tuple(example.reply for example in examples)
    return Heard(text=turn.text, earlier=earlier, shown=shown, kind=kind, languages=frozenset(languages))


def empty(completion: Completion) -> bool:
    """No letter, kana, kanji or digit at all."""
    return not any(char.isalnum() for char in completion.text)


def truncated(completion: Completion) -> bool:
    """Cut by the token limit or the deadline before a sentence was complete."""
    cut = completion.finish_reason in {"length", "deadline"}
    return cut and not completion.text.rstrip().endswith(_SENTENCE_ENDS)


def refusal(completion: Completion) -> bool:
    return completion.finish_reason == "refusal" or _REFUSALS.search(completion.text) is not None


def repetition(completion: Completion) -> bool:
    """The same eight characters or more at least three times in a row, or most of a longer text said twice or more."""
    text = "".join(completion.text.split())
    if re.search(r"(.{8,60}?)\1\1", text) or re.search(r"(.{1,7}?)\1{9,}", text):
        return True
    pieces = [piece for piece in re.split(r"[。！？!?\n]", completion.text) if len(piece.strip()) >= 4]
    return len(pieces) >= 4 and len(set(pieces)) <= len(pieces) // 2


def wrong_language(completion: Completion, heard: Heard) -> bool:
    """Not in the language that the user writes; short texts and mixed ones pass."""
    spoken = language(completion.text)
    return spoken is not None and spoken not in heard.languages


def echo(completion: Completion, heard: Heard) -> bool:
    """Hardly more than the user's own words: what is left without them is short, or most of it is alike."""
    said, told = normalise(completion.text), normalise(heard.text)
    if len(told) < _LEAST_TOLD:
        return said == told
    if fuzz.ratio(said, told) >= ALIKE:
        return True
    blocks = _common_blocks(said, told)
    own = len(said) - sum(blocks)
    return sum(blocks) >= len(told) * _MOST_OF_IT and own < _LEAST_OWN


def echoed_question(completion: Completion, heard: Heard) -> bool:
    """A question or an order said back: the first clause repeats most of it, as if it were news."""
    told = normalise(heard.text)
    if not heard.asks or len(told) < _LEAST_TOLD:
        return False
    return sum(_common_blocks(_first_clause(completion.text), told)) >= len(told) * _MOST_OF_IT


def said_before(completion: Completion, heard: Heard) -> bool:
    """Words of this conversation once more, or nearly; or an example's first clause, of which the user said nothing."""
    said, clause = normalise(completion.text), _first_clause(completion.text)
    if any(fuzz.ratio(said, normalise(before)) >= ALIKE for before in heard.earlier):
        return True
    copied = len(clause) >= _LEAST_OWN and any(clause == _first_clause(reply) for reply in heard.shown)
    return copied and sum(_common_blocks(clause, normalise(heard.text))) < len(clause) * _MOST_OF_IT


def cheers_bad_news(completion: Completion, heard: Heard) -> bool:
    """Good wishes to somebody who is not glad."""
    return heard.kind in _SAD and _CHEERS.search(completion.text) is not None


def language(text: str) -> str | None:
    """`ja`, `zh`, `ko`, `en` (any Latin script) or `other` by script; `None` for what has too few letters to tell."""
    kana, han, latin = (len(pattern.findall(text)) for pattern in (_KANA, _HAN, _LATIN))
    hangul, foreign = len(_HANGUL.findall(text)), len(_FOREIGN.findall(text))
    if kana + han + latin + hangul + foreign < 4:
        return None
    # A kana or a kanji carries about as much as two Latin letters.
    ja = 2 * (kana + han) if kana else 0
    zh = 0 if kana else 2 * han
    by_script = {"ja": ja, "zh": zh, "ko": 2 * hangul, "en": latin, "other": foreign}
    return max(by_script, key=lambda name: by_script[name])


def _first_clause(text: str) -> str:
    return normalise(_CLAUSE_ENDS.split(text.strip(), maxsplit=1)[0])


def _common_blocks(one: str, other: str) -> list[int]:
    """The lengths of the runs of at least `_RUN` characters that both have, in order."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [block.size for block in blocks if block.size >= _RUN]


_BY_TEXT: Mapping[str, Callable[[Completion], bool]] = {
    "empty": empty,
    "truncated": truncated,
    "refusal": refusal,
    "repetition": repetition,
}
_BY_TALK: Mapping[str, Callable[[Completion, Heard], bool]] = {
    "wrong_language": wrong_language,
    "echo": echo,
    "echoed_question": echoed_question,
    "said_before": said_before,
    "cheers_bad_news": cheers_bad_news,
}

DETECTORS = (*_BY_TEXT, *_BY_TALK, "low_confidence")
"""What `escalate_when` may name besides `error` and `timeout`."""


def is_of(detector: NamedDetector, sentence: Completion) -> bool:
    """Whether `detector` has something to say of a single sentence."""
    is_long = len(sentence.text.encode()) >= _LEAST_OF_A_LANGUAGE
    return detector.name in _OF_A_SENTENCE and (is_long or detector.name != "wrong_language")


def detects(detector: NamedDetector, completion: Completion, heard: Heard) -> bool:
    """Whether `detector` objects to `completion`."""
    if detector.name == "low_confidence":
        threshold = detector.threshold or 0.0
        return completion.confidence is not None and completion.confidence < threshold
    if detector.name in _BY_TALK:
        return _BY_TALK[detector.name](completion, heard)
    return detector.name in _BY_TEXT and _BY_TEXT[detector.name](completion)
