from engine.golden.coverage import coverage, near_misses
from engine.golden.run import Pipelines, Runner, load_goldens
from tests.fakes.golden import GOLDEN, PIPELINE, REPLIES, project


def results_of(path):
    pipelines = Pipelines()
    return list(Runner(pipelines=pipelines, env={}).run(load_goldens([path], pipelines))), pipelines


def gaps(path) -> set[str]:
    results, pipelines = results_of(path)
    (found,) = coverage(results, pipelines)
    return {f"{gap.kind} {gap.what}" for gap in found.gaps}


def test_what_no_golden_exercises_is_listed(tmp_path):
    found = gaps(project(tmp_path))
    assert "replies greet_day" in found
    assert "replies greet_evening" not in found
    assert {"steps talk", "steps sorry"} <= found
    assert {f"escalation reasons talk: {why}" for why in ("truncated", "low_confidence", "too short")} <= found
    assert "escalation reasons ask: timeout" in found
    assert "conditions `when` of reply `greet_evening` is false" in found
    assert "conditions `when` of step `talk` is true" in found
    assert "conditions `when` of step `talk` is false" not in found


def test_a_gap_has_its_place(tmp_path):
    results, pipelines = results_of(project(tmp_path))
    (found,) = coverage(results, pipelines)
    gap = next(gap for gap in found.gaps if gap.what == "greet_day")
    assert (gap.span.file.endswith("replies/bar.yml"), gap.span.line) == (True, 10)


def test_what_was_exercised_and_what_not_add_up(tmp_path):
    results, pipelines = results_of(project(tmp_path))
    (found,) = coverage(results, pipelines)
    assert found.total["replies"] == 8
    assert found.exercised("replies") == 1
    assert found.total["steps"] == 4


def test_an_utterance_that_another_reply_nearly_takes_is_a_warning(tmp_path):
    rival = "  - id: ask_stars\n    match: [星の話をした]\n    say: [星ね。]\n"
    strict = PIPELINE.replace("threshold: 80", "threshold: 98")
    far = rival.replace("星の話", "月の話")
    results, _ = results_of(project(tmp_path, replies=REPLIES + far, pipeline=strict))
    assert near_misses(results) == []
    results, _ = results_of(project(tmp_path, replies=REPLIES + rival, pipeline=strict))
    (miss,) = near_misses(results)
    assert (miss.text, miss.winner, miss.rival) == ("星の話をして", None, "ask_stars")
    assert "gets no reply, at a threshold of 98" in str(miss)


def test_a_trigger_that_is_the_utterance_itself_cannot_be_stolen(tmp_path):
    rival = "  - id: greet_again\n    match: [こんばんはー！, こんばんはね]\n    say: [あら。]\n"
    results, _ = results_of(project(tmp_path, replies=REPLIES + rival))
    assert [miss for miss in near_misses(results) if miss.text == "こんばんは"] == []


def test_a_reply_whose_time_it_is_not_takes_nothing(tmp_path):
    results, _ = results_of(project(tmp_path, GOLDEN.replace("user: こんばんは", "user: こんばんわ")))
    assert near_misses(results) == []
