"""Pipelines of any size with made-up replies: the shipped persona, and triggers that look like what guests say.

The same size always gives the same files.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import yaml

from benchmarks.machine import CACHE, ROOT

TRIGGERS = 3
"""For each reply."""

_WHEN = "今日,昨日,明日,今夜,さっき,最近,たまに,いつも,週末,今朝,来週,毎晩,この前,やっと,また"
_WHAT = (
    "仕事,会議,上司,部下,残業,電車,天気,台風,雪,家族,子ども,猫,犬,彼女,友だち,料理,カレー,ラーメン,寿司,焼き鳥,ビール,日本酒,"
    "梅酒,ワイン,カラオケ,歌,映画,本,旅行,温泉,引っ越し,部屋,スマホ,ゲーム,野球,サッカー,マラソン,ダイエット,健康診断,歯医者,"
    "腰,肩こり,風邪,花粉,誕生日,結婚式,同窓会,転職,資格,英語,試験,貯金,株,税金,年金,庭,野菜,花見,紅葉,祭り"
)
_HOW = (
    "が大変だったよ,の話を聞いて,が終わらない,で疲れた,が楽しかった,のことで悩んでる,をやめたい,を始めたんだ,がうまくいかない,"
    "が好きなんだ,は苦手だな,に行ってきた,を忘れちゃった,で怒られた,で褒められた,をおごってもらった,が心配で眠れない,はどう思う,"
    "をおすすめして,が懐かしいね,を見つけたよ,に誘われた,を断った,で失敗した,が届いた,を買いすぎた,に負けた,で泣いた,が待ち遠しい,"
    "を教えて"
)


def sentences(count: int) -> list[str]:
    """Different ones, in an order of their own; past 27,000 they get an ending of two letters."""
    made = ["".join(parts) for parts in product(*(words.split(",") for words in (_WHEN, _WHAT, _HOW)))]
    random.Random(7).shuffle(made)
    first = len(made)
    for ending in product("ねよわさのかなしもの", "ゆりえけみせひほ"):
        if len(made) >= count:
            break
        made += [sentence + "".join(ending) for sentence in made[:first]]
    return made[:count]


def misheard(sentence: str) -> str:
    """The sentence with one slip in it."""
    chance = random.Random(sentence)
    place = chance.randrange(1, len(sentence) - 1)
    return sentence[:place] + chance.choice("あいうかきくさしすねもよ") + sentence[place + chance.randint(0, 1) :]


def pipeline(replies: int) -> tuple[Path, list[str]]:
    """The file of a pipeline with this many replies and their triggers; made where it is not there yet."""
    folder = CACHE / f"pipeline-{replies}"
    texts = sentences(replies * TRIGGERS)
    if not (folder / "pipeline.yml").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "prompts").mkdir(parents=True)
        shutil.copy(ROOT / "pipelines/prompts/snack_misaki.j2", folder / "prompts")
        shipped = (ROOT / "pipelines/snack_misaki.yml").read_text(encoding="utf-8")
        for place, part in enumerate(_files(texts)):
            (folder / f"replies_{place:03}.yml").write_text(part, encoding="utf-8")
        (folder / "pipeline.yml").write_text(_without_kinds(shipped), encoding="utf-8")
        # Files that were written just now are read again at every start, in case they change once more.
        for file in folder.rglob("*.*"):
            os.utime(file, (time.time() - 3600, time.time() - 3600))
    return folder / "pipeline.yml", texts


def _without_kinds(shipped: str) -> str:
    """The shipped pipeline with the made-up replies: its steps that ask for no kind of sentence, and for no tag."""
    pipeline = yaml.safe_load(shipped)
    del pipeline["kinds"]
    pipeline["replies"] = ["replies_*.yml"]
    asking = ("'only'", "'otherwise'", "'vars'", "kind.", "vars.")
    pipeline["steps"] = [step for step in pipeline["steps"] if not any(one in str(step) for one in asking)]
    return yaml.dump(pipeline, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


def _files(texts: list[str]) -> Iterator[str]:
    """The replies in files of 500."""
    entries = [_reply(place, texts[place * TRIGGERS :][:TRIGGERS]) for place in range(len(texts) // TRIGGERS)]
    for first in range(0, len(entries), 500):
        part = {"replies": entries[first : first + 500]}
        yield yaml.dump(part, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    sorry = {"replies": [{"id": "out_of_words", "say": ["ごめんなさい、うまく言葉が出てこないわ。"]}]}
    yield yaml.dump(sorry, Dumper=yaml.CSafeDumper, allow_unicode=True)


def _reply(place: int, triggers: list[str]) -> dict[str, object]:
    match: list[object] = list(triggers)
    if place % 20 == 7:
        match.append({"contains": f"合言葉{place}番"})
    if place % 100 == 13:
        match.append({"regex": f"番号(は|が){place}"})
    condition = {"when": "now.hour >= 0 and turn.number < 100"} if place % 10 == 3 else {}
    say = [f"{triggers[0]}のね。ゆっくり聞かせて。", f"まあ、{triggers[-1]}なんて。今夜は飲みましょ。"]
    return {"id": f"reply_{place}", "match": match, **condition, "say": say}
