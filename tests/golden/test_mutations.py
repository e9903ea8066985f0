"""Whatever small harm is done to a shipped pipeline, at least one golden must notice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import pytest

from engine.core.events import StepEvent
from engine.core.plan import Plan
from engine.golden.play import play
from engine.golden.result import ConversationResult
from engine.golden.run import Loaded, Pipelines, find_goldens, load_goldens
from engine.golden.stage import Settings
from engine.pipeline.schema.golden import Conversation
from tests.golden.mutants import Mutant, Refused, mutants

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("snack_misaki", "helpdesk")
PROCESSES = 2


@dataclass
class Suite:
    """The goldens of one pipeline; `furthest` is the index of the last step that each comes to, `order` that in which
    they are played.
    """

    pipelines: Pipelines
    goldens: list[tuple[Loaded, Conversation]]
    settings: Settings = field(default_factory=Settings)
    furthest: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    def first_run(self) -> list[str]:
        """The names of conversations that do not pass unharmed."""
        failed = []
        for place, (loaded, conversation) in enumerate(self.goldens):
            result = self.play(place, lambda plan: plan)
            failed += [] if result.status == "passed" else [f"{loaded.golden.path}: {conversation.name.value}"]
            self.furthest.append(furthest(result))
            self.order.append(place)
        return failed

    def play(self, place: int, change):
        loaded, conversation = self.goldens[place]
        plan = change(self.plan(loaded, conversation))
        return play(loaded.golden, conversation, plan, loaded.cassette, self.settings).result

    def plan(self, loaded: Loaded, conversation: Conversation) -> Plan:
        return self.pipelines.plan(loaded.golden.pipeline_path, conversation.env)

    def notices(self, mutant: Mutant) -> bool:
        """Whether some golden fails, among those that come to a harmed step. What noticed one harm goes first with the
        next, which is much like it.
        """
        try:
            for place in [place for place in self.order if self.furthest[place] >= mutant.first]:
                if self.play(place, mutant.change).status != "passed":
                    self.order.remove(place)
                    self.order.insert(0, place)
                    return True
        except Refused:
            return True
        return False


def furthest(result: ConversationResult) -> int:
    """The index of the last step that any turn came to; of all steps, where it had no answer."""
    assert result.plan is not None
    places = {step.id: place for place, step in enumerate(result.plan.steps)}
    outcomes = [turn.outcome for turn in result.turns]
    if any(outcome.reply is None for outcome in outcomes):
        return len(places)
    return max(places[event.step] for outcome in outcomes for event in outcome.trace if isinstance(event, StepEvent))


def harmed(name: str, part: int) -> tuple[Counter[str], list[str]]:
    """Every `PROCESSES`-th harm to the pipeline of that name: how many of each kind, and those that nobody notices."""
    pipelines = Pipelines()
    loaded = load_goldens(find_goldens([Path("tests/golden") / name]), pipelines)
    suite = Suite(pipelines, [(one, conversation) for one in loaded for conversation in one.golden.conversations])
    assert suite.first_run() == []
    some = list(islice(mutants(pipelines.plan(loaded[0].golden.pipeline_path, {})), part, None, PROCESSES))
    survivors = [f"{mutant.kind} {mutant.name}" for mutant in some if not suite.notices(mutant)]
    return Counter(mutant.kind for mutant in some), survivors


@pytest.mark.parametrize("name", NAMES)
def test_the_goldens_notice_every_harm(name, monkeypatch, record_property):
    monkeypatch.chdir(ROOT)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(partial(harmed, name), range(PROCESSES)))
    tried = sum((kinds for kinds, _ in parts), Counter())
    survivors = [harm for _, some in parts for harm in some]
    share = 1 - len(survivors) / tried.total()
    record_property("mutants", dict(tried))
    record_property("share killed", round(share, 4))
    print(f"{name}: {dict(tried)}, {share:.2%} killed, survivors: {survivors}")  # noqa: T201 - for `pytest -rP`
    # Some harms change nothing that anybody could notice: the threshold of a step that only listens, say, or the place
    # of signs that the last step sees as well.
    assert share >= 0.7
