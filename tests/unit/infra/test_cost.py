"""The costs in the guide are those that the tool works out."""

from pathlib import Path

import pytest

from tools import cost

GUIDE = (Path(__file__).parents[3] / "docs" / "deploying.md").read_text("utf-8")


def test_the_guide_holds_the_table():
    assert "\n".join(cost.table()) in GUIDE, "run `python -m tools.cost`"


@pytest.mark.parametrize(("what", "dollars"), cost.remarks().items())
def test_the_guide_draws_the_same_conclusions(what, dollars):
    assert dollars in GUIDE.partition("## What it costs")[2].partition("\n## ")[0], what


def test_a_price_worked_out_by_hand():
    paid = {line.what.partition(",")[0]: line for line in cost.lines()}
    gigabyte_seconds = (6 * 0.02 + 3 * 2 + 1 * 2) / 10 * 2 + 1 / 50 * 2
    assert paid["Lambda"].cost(1_000_000) == pytest.approx(gigabyte_seconds * 16.6667)
    assert paid["OpenAI `gpt-4o-mini`"].cost(1_000_000) == pytest.approx(100_000 * (700 * 0.15 + 60 * 0.6) / 1e6)
    assert paid["DynamoDB"].cost(1_000_000) == pytest.approx(4 * 0.125 + 6 * 0.625)
    assert sum(line.fixed for line in cost.lines()) == pytest.approx(25 * 0.3 + 4 * 0.1 + 0.4 + 3 + 0.039)
