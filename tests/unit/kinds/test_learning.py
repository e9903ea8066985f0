from __future__ import annotations

from engine.kinds.features import features
from engine.kinds.learning import judge_each, learn
from engine.kinds.model import KindModel

EXAMPLES = [
    *(("order", f"{drink}ください") for drink in ("ビール", "水割り", "熱燗", "枝豆", "お冷や", "ワイン", "焼酎")),
    *(("thanks", f"{how}ありがとう") for how in ("いつも", "今日は", "ほんとに", "昨日は", "聞いてくれて", "どうも")),
    ("thanks", "ハイボールください"),
]


def test_an_example_in_the_wrong_list_is_told_by_the_others():
    found = judge_each([(kind, features(text)) for kind, text in EXAMPLES])
    wrong = [EXAMPLES[one.place][1] for one in found if one.told != one.kind]
    assert wrong == ["ハイボールください"]


def test_leaving_out_is_nearly_what_learning_without_it_gives():
    examples = [(kind, features(text)) for kind, text in EXAMPLES]
    for judged in judge_each(examples):
        data = learn([one for place, one in enumerate(examples) if place != judged.place])
        chances = KindModel(lambda data=data: memoryview(data)).chances(EXAMPLES[judged.place][1])
        assert next(iter(chances)) == judged.told
