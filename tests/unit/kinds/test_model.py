from __future__ import annotations

import pytest

from engine.core.table import Damaged
from engine.kinds.features import features, shown
from engine.kinds.learning import learn
from engine.kinds.model import KindModel, names_of_kind

EXAMPLES = {
    "order": ["ビールください", "ハイボールをひとつ", "水割りちょうだい", "One beer, please"],
    "tired": ["今日は疲れたよ", "もうくたくただ", "残業続きで眠い", "I am so tired"],
    "thanks": ["ありがとう", "助かったよ", "どうもありがとうございました", "Thank you so much"],
}


def stored() -> bytes:
    return learn([(kind, features(text)) for kind, texts in EXAMPLES.items() for text in texts])


@pytest.fixture(scope="module")
def model() -> KindModel:
    data = stored()
    return KindModel(lambda: memoryview(data))


@pytest.mark.parametrize(
    ("text", "kind"),
    [("焼酎ください", "order"), ("すごく疲れた", "tired"), ("ありがとね", "thanks"), ("two beers please", "order")],
)
def test_a_sentence_is_of_the_kind_whose_examples_are_like_it(model, text, kind):
    chances = model.chances(text)
    assert next(iter(chances)) == kind
    assert sum(chances.values()) == pytest.approx(1)
    assert list(chances.values()) == sorted(chances.values(), reverse=True)


def test_every_kind_has_a_chance_whatever_is_said(model):
    assert set(model.chances("Ω")) == set(model.chances("")) == set(EXAMPLES)


def test_learning_gives_the_same_bytes_each_time():
    assert stored() == stored()


def test_the_reasons_are_what_speaks_for_a_kind_strongest_first(model):
    reasons = model.reasons("すごく疲れたよ", "tired", "thanks")
    assert "疲れる" in {shown(feature) for feature, _ in reasons}
    weights = [weight for _, weight in reasons]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0


def test_a_model_that_is_not_what_was_written_is_damaged():
    data = bytearray(stored())
    data[len(data) // 2] ^= 255
    with pytest.raises(Damaged):
        KindModel(lambda: memoryview(data)).chances("ビール")


class Counting:
    """A model of kinds that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def chances(self, text: str) -> dict[str, float]:
        self.asked.append(text)
        return {"order": 0.8, "tired": 0.2}


def test_the_kind_is_worked_out_when_it_is_looked_at_and_only_once():
    model = Counting()
    kind = names_of_kind(model, "ビール")
    assert model.asked == []
    assert (kind["name"], kind["sure"], kind["second"], kind["chance"]["tired"]) == ("order", 0.8, "tired", 0.2)
    assert model.asked == ["ビール"]


def test_a_pipeline_without_kinds_has_no_names_of_them():
    assert names_of_kind(None, "ビール") == {}
