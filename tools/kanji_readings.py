"""Writes engine/matching/kanji_readings.py: how kanji are read, distilled from UniDic's lexicon (BSD licence).

    pip install unidic-lite && python tools/kanji_readings.py

A dictionary of 750,000 entries becomes a table of some 170 kB that loads in a few milliseconds: for each everyday kanji
its reading inside compounds, its reading alone, and its readings before okurigana; then only those common words whose
reading does not follow from their kanji. The result is good enough to compare sounds, not to teach reading.
"""

from __future__ import annotations

import math
import re
import struct
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from rapidfuzz import fuzz
from unidic_lite import DICDIR

TARGET = Path(__file__).parent.parent / "engine" / "matching" / "kanji_readings.py"
WORD_COST, STEM_COST, KANA_COST, SIMILAR, MOST = 7300, 7500, 9500, 80, 8
"""UniDic's unigram costs up to which a word, a word with okurigana, and one kanji with its okurigana count as common;
how close to the truth (a ratio, 0-100) a composed reading must be for the word to be left out; and how many readings
before okurigana one kanji may have."""

SPOKEN = {
    "私": "わたし", "明日": "あした", "何時": "なんじ", "何人": "なんにん", "頭": "あたま",
    "頭が": "あたま", "日本": "にほん", "今": "いま", "割引": "わりびき", "息子": "むすこ",
    "梅酒": "うめしゅ", "日本酒": "にほんしゅ", "頭痛": "ずつう", "宛先": "あてさき", "締切": "しめきり",
    "唐揚げ": "からあ", "誕生日": "たんじょうび", "水割り": "みずわ", "有難う": "ありがと", "来な": "こ",
    "来て": "き", "来た": "き", "来ま": "き", "来ら": "こ", "来る": "く",
    "来れ": "く", "届か": "とど", "下が": "さ", "開か": "あ", "解ら": "わか",
    "分か": "わか", "判ら": "わか", "有り": "あ", "何で": "なん", "何を": "なに",
    "何が": "なに", "何か": "なに", "何も": "なに", "何の": "なん", "他に": "ほか",
    "他の": "ほか", "方が": "ほう", "方は": "かた", "今何": "いまなん",
}  # fmt: skip
"""Where speech differs from the written language that UniDic counts, and verbs whose stem is one bare kanji."""

_KANJI = re.compile("[一-鿿々]")
_SHAPE = re.compile("([おご]?[一-鿿々]+)([ぁ-ん]*)")
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_INFLECTED = {"動詞", "形容詞"}
_PARTICLES = "がをにはものとでへやか"
_NOUNISH = {"名詞", "代名詞", "接尾辞", "接頭辞", "副詞", "形状詞", "接続詞", "感動詞", "連体詞"}


def lexicon(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    """(surface, cost, features) of every entry in a compiled MeCab dictionary: a double array over UTF-8 bytes."""
    data = path.read_bytes()
    array_size, token_size = struct.unpack_from("<2I", data, 24)
    array = struct.unpack_from(f"<{array_size // 4}i", data, 72)
    base, check = array[0::2], array[1::2]
    tokens, features = 72 + array_size, 72 + array_size + token_size
    stack = [(base[0], b"")]
    while stack:
        here, prefix = stack.pop()
        if check[here] == here and base[here] < 0:
            value = -base[here] - 1
            for row in range(value >> 8, (value >> 8) + (value & 0xFF)):
                _, _, _, cost, feature, _ = struct.unpack_from("<HHHhII", data, tokens + 16 * row)
                text = data[features + feature : data.index(b"\0", features + feature)]
                yield prefix.decode(), cost, text.decode().split(",")
        for byte in range(256):
            after = here + byte + 1
            if 0 < after < len(base) and check[after] == here:
                stack.append((base[after], prefix + bytes([byte])))


def everyday() -> set[str]:
    """The first level of JIS X 0208: 2,965 kanji in common use."""
    cells = (bytes([row, cell]) for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFF))
    return {c.decode("euc_jp", "ignore") for c in cells} - {""}


def gather() -> tuple[dict[str, tuple[int, str]], dict[str, tuple[int, str]]]:
    """The cheapest reading of each word of bare kanji, and of each run of kanji before its first kana."""
    nouns: dict[str, tuple[int, str]] = {}
    okurigana: dict[str, tuple[int, str]] = {}
    allowed = everyday() | set("おご")
    for surface, cost, features in lexicon(Path(DICDIR) / "sys.dic"):
        shape = _SHAPE.fullmatch(surface)
        if shape is None or len(features) < 21 or features[1] == "固有名詞" or not set(shape[1]) <= allowed:
            continue
        if "文語" in features[4] or re.search("仮定形-融合|意志推量|命令", features[5]):
            continue
        reading = features[17].translate(_HIRAGANA)
        if not shape[2]:
            if features[0] in _NOUNISH:
                nouns[surface] = min(nouns.get(surface, (99999, "")), (cost, reading))
        elif (
            (features[0] in _INFLECTED or (features[0] in {"名詞", "副詞"} and shape[2][0] not in _PARTICLES))
            and reading.endswith(shape[2])
            and len(reading) > len(shape[2])
        ):
            key = surface[: len(shape[1]) + 1]
            found = (cost, reading.removesuffix(shape[2]))
            okurigana[key] = min(okurigana.get(key, (99999, "")), found)
    return nouns, okurigana


def compound_readings(nouns: dict[str, tuple[int, str]]) -> dict[str, str]:
    """Each kanji's likeliest share of the two-kanji words it is in, by expectation maximisation over all splits."""
    words = ((word, found) for word, found in nouns.items() if len(word) == 2 and _KANJI.match(word))
    pairs = [(word, math.exp((5000 - cost) / 1500), reading) for word, (cost, reading) in words]
    shares: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(lambda: 1.0))
    for _ in range(6):
        totals = {kanji: sum(share.values()) or 1.0 for kanji, share in shares.items()}
        fresh: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(lambda: 1e-6))
        for (one, two), weight, reading in pairs:
            cuts = [i for i in range(1, len(reading)) if i <= 4 >= len(reading) - i and reading[i] not in "ゃゅょんっ"]
            chance = [
                shares[one][reading[:i]] / totals.get(one, 1.0) * shares[two][reading[i:]] / totals.get(two, 1.0)
                for i in cuts
            ]
            for i, p in zip(cuts, chance, strict=True):
                fresh[one][reading[:i]] += weight * p / sum(chance)
                fresh[two][reading[i:]] += weight * p / sum(chance)
        shares = fresh
    return {kanji: max(share, key=lambda r: share[r]) for kanji, share in shares.items()}


def stems(nouns: dict[str, tuple[int, str]], okurigana: dict[str, tuple[int, str]]) -> dict[str, str]:
    """Verbs and adjectives of several kanji, by their kanji alone where no noun claims them, else with one kana."""
    words: dict[str, str] = {}
    common = sorted((found, key) for key, found in okurigana.items() if len(key) > 2 and found[0] <= STEM_COST)
    for (_, reading), key in common:
        run = key[:-1]
        if run not in nouns:
            words.setdefault(run, reading)
        if words.get(run) != reading:
            words[key] = reading
    return words


def table() -> tuple[dict[str, str], dict[str, str]]:
    """Kanji -> `COMPOUND .ALONE READING:KANA…`, and word (maybe with one kana) -> reading of its kanji."""
    nouns, okurigana = gather()
    inside = compound_readings(nouns)
    for key, reading in SPOKEN.items():
        (nouns if _KANJI.fullmatch(key[-1]) else okurigana)[key] = (0, reading)
    kanji: dict[str, str] = {}
    for one, reading in sorted(inside.items()):
        alone = nouns.get(one, (0, reading))[1]
        groups: dict[str, str] = defaultdict(str)
        for key, (cost, before) in sorted(okurigana.items()):
            if len(key) == 2 and key[0] == one and cost <= KANA_COST:
                groups[before] += key[1]
        fields = (
            [reading]
            + ([f".{alone}"] if alone != reading else [])
            + [f"{r}:{k}" for r, k in list(groups.items())[:MOST]]
        )
        kanji[one] = " ".join(fields)
    words = stems(nouns, okurigana)
    for word, (cost, reading) in sorted(nouns.items()):
        composed = "".join(inside.get(one, one) for one in word)
        if word[0] in "おご" and len(word) == 2:
            composed = word[0] + nouns.get(word[1], (0, composed[1:]))[1]
        if 2 <= len(word) <= 4 and cost <= WORD_COST and fuzz.ratio(composed, reading) < SIMILAR:
            words[word] = reading
    return kanji, words


def literal(lines: list[str]) -> str:
    return '"""\\\n' + "\n".join(lines) + '\n"""'


def main() -> None:
    kanji, words = table()
    packed = textwrap.wrap(" ".join(f"{word}={reading}" for word, reading in sorted(words.items())), 58)
    notice = (Path(DICDIR).parent.parent / "unidic_lite-1.0.8.dist-info" / "licenses" / "LICENSE.unidic").read_text()
    comment = "\n".join(f"# {line}".rstrip() for line in notice.strip().splitlines())
    rows = [f"{one}{fields}" for one, fields in sorted(kanji.items())]
    TARGET.write_text(
        '"""How kanji are read: data written by tools/kanji_readings.py, in the format of `readings`."""\n\n'
        f"# Distilled from UniDic, whose licence follows.\n#\n{comment}\n\n"
        f"KANJI = {literal(rows)}\n\nWORDS = {literal(packed)}\n",
        encoding="utf-8",
    )
    print(len(kanji), "kanji,", len(words), "words,", TARGET.stat().st_size, "bytes", Counter(map(len, words)))


if __name__ == "__main__":
    main()
