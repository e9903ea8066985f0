"""Whatever small harm is done to a shipped pipeline, at least one golden must notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.golden.find import find_goldens
from engine.golden.pipelines import Pipelines
from engine.golden.play import play
from engine.golden.run import Loaded, load_goldens
from engine.golden.stage import Settings
from engine.model.plan import Plan
from engine.schema.golden_spec import Conversation
from tests.golden.mutants import Mutant, Refused, mutants

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("snack_misaki", "helpdesk")


@dataclass
class Suite:
    """The goldens of one pipeline, and which of them say which reply."""

    pipelines: Pipelines
    goldens: list[tuple[Loaded, Conversation]]
    saying: dict[str, list[int]] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    def first_run(self) -> list[str]:
        """The names of conversations that do not pass unharmed."""
        failed = []
        for place, (loaded, conversation) in enumerate(self.goldens):
            result = self.play(place, lambda plan: plan)
            failed += [] if result.status == "passed" else [f"{loaded.golden.path}: {conversation.name.value}"]
            for turn in result.turns:
                if turn.outcome.reply_id is not None:
                    self.saying.setdefault(turn.outcome.reply_id, []).append(place)
        return failed

    def play(self, place: int, change):
        loaded, conversation = self.goldens[place]
        plan = change(self.plan(loaded, conversation))
        return play(loaded.golden, conversation, plan, loaded.cassette, self.settings).result

    def plan(self, loaded: Loaded, conversation: Conversation) -> Plan:
        return self.pipelines.plan(loaded.golden.pipeline_path, conversation.env)

    def notices(self, mutant: Mutant) -> bool:
        """Whether some golden fails; those that say the harmed reply, the shortest first, are the likely ones."""
        likely = dict.fromkeys(self.saying.get(mutant.reply or "", ()))
        likely = dict.fromkeys(sorted(likely, key=lambda place: len(self.goldens[place][1].turns)))
        order = [*likely, *(place for place in range(len(self.goldens)) if place not in likely)]
        try:
            return any(self.play(place, mutant.change).status != "passed" for place in order)
        except Refused:
            return True


@pytest.mark.parametrize("name", NAMES)
def test_the_goldens_notice_every_harm(name, monkeypatch, record_property):
    monkeypatch.chdir(ROOT)
    pipelines = Pipelines()
    loaded = load_goldens(find_goldens([Path("tests/golden") / name]), pipelines)
    suite = Suite(pipelines, [(one, conversation) for one in loaded for conversation in one.golden.conversations])
    assert suite.first_run() == []

    tried, survivors = Counter(), []
    for mutant in mutants(pipelines.plan(loaded[0].golden.pipeline_path, {})):
        tried[mutant.kind] += 1
        if not suite.notices(mutant):
            survivors.append(f"{mutant.kind} {mutant.name}")
    share = 1 - len(survivors) / tried.total()
    record_property("mutants", dict(tried))
    record_property("share killed", round(share, 4))
    print(f"{name}: {dict(tried)}, {share:.2%} killed, survivors: {survivors}")  # noqa: T201 - for `pytest -rP`
    assert share >= 0.95
    assert [survivor for survivor in survivors if survivor.split()[0] in ("threshold", "swap")] == []
