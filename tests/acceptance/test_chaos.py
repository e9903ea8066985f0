"""The experiments of `make chaos` at a small part of their size, without a look at the clock."""

from __future__ import annotations

import shutil

import pytest

from tests.chaos import (
    deadlines,
    document,
    drips,
    files,
    load,
    outage,
    pairwise,
    providers,
    requests,
    streams,
    worker,
)
from tests.chaos.__main__ import EXPERIMENTS, main
from tests.chaos.document import Run
from tests.chaos.experiment import Check
from tests.faults import behaviours
from tests.faults.catalogue import FAULTS, UNREACHABLE
from tests.faults.stage import stage
from tests.needs import LOCAL_ENGINES
from tools.demo_model import ensure

ANY_TIME = 60.0


def failing(checks):
    return [check for check in checks if not check.holds]


def test_every_fault_leads_to_its_type_and_the_next_step():
    brief = [fault for fault in (*UNREACHABLE, *FAULTS) if not fault.waits or fault.name == "silence"]
    assert failing(providers.check(brief, 1, timeout=3.0, grace=ANY_TIME)) == []


def test_dripping_peers_leave_nothing_open():
    with stage("openai") as on:
        assert failing(drips.dripping(on, behaviours.drip_body, 10, deadline=0.6, grace=ANY_TIME)) == []


def test_streams_end_whatever_breaks_them():
    brief = [way for way in streams.BROKEN if way.name not in {"silence", "dripping"}]
    assert failing(streams.check(brief, 1, grace=ANY_TIME, timeout=3.0, faults=())) == []


def test_guests_who_leave_free_the_model():
    assert failing(streams.leaving(20, free=ANY_TIME)) == []


@pytest.mark.needs("the demo models")
def test_guests_who_leave_free_the_worker():
    assert failing(streams.leaving_the_worker(ensure("smollm2"), 20, free=ANY_TIME)) == []


@pytest.mark.parametrize("name", ["503", "reset connections", "refused keys"])
def test_an_outage_costs_few_calls(name):
    assert failing(outage.outage(name, 30)) == []


def test_half_open_lets_only_probes_through():
    assert failing([outage.half_open(1, patience=ANY_TIME)]) == []


def test_faults_in_several_layers_at_once():
    assert failing(pairwise.turns(150, grace=ANY_TIME, useful=0.9)) == []


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return worker.model_files(tmp_path_factory.mktemp("models"))


@pytest.mark.needs("the demo models")
@pytest.mark.parametrize("backend", LOCAL_ENGINES)
def test_a_worker_that_dies_hangs_or_starves_is_replaced(models, backend):
    path, before = models[backend], worker.belongings()
    checks = [
        *worker.signals(path, backend, 1, grace=ANY_TIME),
        worker.hang(path, backend, 1, grace=ANY_TIME),
        worker.corrupt(path, backend, grace=ANY_TIME),
        worker.no_memory(path, backend, grace=ANY_TIME),
        worker.crowd(path, backend, grace=ANY_TIME),
        worker.stall(path, backend, 1.0, grace=ANY_TIME),
        worker.left_open(before),
    ]
    assert failing(checks) == []


@pytest.mark.parametrize("backend", LOCAL_ENGINES)
def test_damaged_model_files(backend):
    assert failing([files.files(backend, 3, grace=ANY_TIME)]) == []


@pytest.mark.needs("the demo models")
@pytest.mark.parametrize("remaining", deadlines.REMAINING)
def test_little_time_is_enough_for_an_answer(remaining):
    with deadlines.sandbox() as one:
        assert failing([deadlines.little_time(one, remaining, 1, grace=ANY_TIME)]) == []


@pytest.mark.parametrize("moment", deadlines.MOMENTS)
def test_a_frozen_sandbox_answers_when_it_thaws(moment):
    assert failing([deadlines.frozen(moment, 1.0, grace=ANY_TIME)]) == []


def test_serve_answers_everybody_who_may_be_many():
    with load.server(*load.SERVERS["misaki serve"]) as address:
        for clients in load.CLIENTS:
            assert failing(load.beside({"misaki serve": load.loaded(address, clients, 0.3)}, clients)) == []


def test_hostile_requests():
    assert failing(requests.hostile(1000, slowest=ANY_TIME, drift=1.0)) == []


def test_the_page_has_a_section_for_each_experiment_and_keeps_those_that_did_not_run(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{document.BEGIN}\n{document.END}\nafter\n", "utf-8")
    checks = (Check(what="answers", right=9, asked=10, figures="1 ms"),)
    for name in ("b", "a", "b"):
        document.write([Run(name=name, title=f"of {name}", share=1.0, seconds=2.0, checks=checks)], ("a", "b"), page)
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert [line for line in text.splitlines() if line.startswith("### ")] == ["### Of a", "### Of b"]
    assert text.count("| answers | **9 of 10** | 1 ms |") == 2


def test_the_shipped_page_has_a_place_for_the_tables(tmp_path):
    page = tmp_path / "page.md"
    shutil.copy(document.DOCUMENT, page)
    document.write([Run(name="drips", title="drips", share=1.0, seconds=2.0, checks=())], tuple(EXPERIMENTS), page)
    assert "### Drips" in page.read_text("utf-8")


def test_an_experiment_that_is_not_there_is_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["nothing"])
    assert "there is no `nothing`" in capsys.readouterr().err
