"""Judges a model's answer: each detector is a small function over the completion, named as `escalate_when` names it.

They are heuristics on purpose cheap; a false alarm costs one call of a larger model. `error` and `timeout` are no
functions here: a backend that raises always escalates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from engine.model.plan import NamedDetector
from engine.model.turn import Completion

_REFUSALS = re.compile(
    r"i(?:'m| am) (?:sorry|unable|not able)|i can(?:'t|not) (?:help|assist|do|provide|answer)|as an ai|"
    r"(?:お答え|お手伝い|ご案内|対応)(?:は|が)?(?:でき(?:ません|かねます)|いたしかねます)|"
    r"(?:申し訳|すみません).{0,30}(?:できません|できかねます|いたしかねます)|(?:ai|人工知能|言語モデル)(?:として|ですので|なので)",
    re.IGNORECASE,
)
_SENTENCE_ENDS = tuple("。！？!?.…♪〜~)）」』\"'”’♡♥★☆")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_FOREIGN = re.compile(r"[\u0400-\u04ff\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f]")


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


def wrong_language(completion: Completion, user_text: str, locale: str) -> bool:
    """Neither in the pipeline's language nor in the one the user wrote; short texts and mixed ones pass."""
    spoken = language(completion.text)
    return spoken is not None and spoken not in {locale.split("-", maxsplit=1)[0], language(user_text)}


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


_BY_TEXT: Mapping[str, Callable[[Completion], bool]] = {
    "empty": empty,
    "truncated": truncated,
    "refusal": refusal,
    "repetition": repetition,
}


def detects(detector: NamedDetector, completion: Completion, *, user_text: str, locale: str) -> bool:
    """Whether `detector` objects to `completion`."""
    if detector.name == "wrong_language":
        return wrong_language(completion, user_text, locale)
    if detector.name == "low_confidence":
        threshold = detector.threshold or 0.0
        return completion.confidence is not None and completion.confidence < threshold
    return detector.name in _BY_TEXT and _BY_TEXT[detector.name](completion)
