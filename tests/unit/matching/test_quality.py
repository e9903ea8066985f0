"""Holds matching to its bounds on labelled pairs; `make bench-matching` prints the figures behind them."""

import json
from pathlib import Path

import pytest

from engine.matching.forms import lexicon
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger

DATA = Path(__file__).parents[2] / "data"
THRESHOLD = 80.0
WORDS = lexicon(["ママ", "マスター", "mama"], ())


def accepted(pair):
    index = TriggerIndex.build([Trigger(kind="fuzzy", text=pair["trigger"], reply=0)], WORDS)
    return bool(list(index.candidates(pair["utterance"], THRESHOLD)))


@pytest.mark.parametrize(
    ("name", "false_accepts", "false_rejects"),
    [("trigger_pairs", 0.02, 0.273), ("held_out_pairs", 0.029, 0.214), ("word_pairs", 0.04, 0.08)],
)
def test_wrong_replies_and_missed_ones_stay_rare(name, false_accepts, false_rejects):
    pairs = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    same = [accepted(pair) for pair in pairs if pair["same"]]
    different = [accepted(pair) for pair in pairs if not pair["same"]]
    assert sum(different) / len(different) <= false_accepts
    assert same.count(False) / len(same) <= false_rejects
