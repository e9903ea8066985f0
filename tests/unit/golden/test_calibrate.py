import pytest

from engine.core.language import spoken
from engine.golden.calibrate import NoThreshold, Point, calibrate, recommend, samples, threshold_step, write_threshold
from engine.golden.report.calibration import render
from engine.golden.run import Pipelines, Runner, load_goldens
from tests.fakes.golden import PIPELINE, project


def points(costs: dict[int, tuple[int, int]]) -> list[Point]:
    return [Point(threshold=at, false_accepts=a, false_rejects=r) for at, (a, r) in costs.items()]


def test_a_threshold_among_the_cheapest_is_kept():
    assert recommend(points({78: (0, 1), 79: (0, 0), 80: (0, 0), 81: (0, 0)}), 79) == 79


def test_else_the_middle_of_the_longest_cheapest_run():
    costs = {70: (0, 0), 71: (1, 0), 72: (0, 0), 73: (0, 0), 74: (0, 0), 75: (0, 2)}
    assert recommend(points(costs), 75) == 73


def test_a_wrong_reply_costs_more_than_a_missed_one():
    assert recommend(points({70: (1, 0), 71: (0, 1)}), 50) == 71


def samples_of(path):
    pipelines = Pipelines()
    pipeline = path.parent.parent / "pipelines" / "bar.yml"
    spec, plan = pipelines.spec(pipeline), pipelines.plan(pipeline, {})
    results = list(Runner(pipelines=pipelines, env={}).run(load_goldens([path], pipelines)))
    return spec, samples(spec, plan, results)


def test_examples_counterexamples_and_goldens_are_all_tried(tmp_path):
    _, found = samples_of(project(tmp_path))
    assert sorted((one.origin, one.text) for one in found) == [
        ("counterexample", "こんにちは"),
        ("example", "こんばんわ"),
        ("golden", "こんばんは"),
        ("golden", "星の話をして"),
    ]


def test_verdicts_change_where_the_scores_say(tmp_path):
    _, found = samples_of(project(tmp_path))
    example = next(one for one in found if one.origin == "example")
    score = example.scores[0]
    assert example.at(score).verdict == "right"
    assert example.at(score + 0.5).verdict == "false reject"
    counterexample = next(one for one in found if one.origin == "counterexample")
    assert counterexample.at(80).verdict == "right"


def test_a_golden_knows_what_time_it_is(tmp_path):
    _, found = samples_of(project(tmp_path))
    golden = next(one for one in found if one.text == "こんばんは")
    assert golden.at(80).winner == "greet_evening"


def test_the_page_shows_the_plot_and_what_changes(tmp_path):
    spec, found = samples_of(project(tmp_path, pipeline=PIPELINE.replace("threshold: 80", "threshold: 100")))
    calibration = calibrate(spec.name.value, 100, found)
    assert calibration.recommended < 100
    page = render(calibration)
    assert "<polyline" in page
    assert "こんばんわ" in page
    assert "http:" not in page
    assert "https:" not in page
    before = spoken.set("ja")
    assert "例文: " in render(calibration)
    spoken.reset(before)


def test_the_threshold_is_written_in_its_place(tmp_path):
    path = project(tmp_path)
    pipeline = path.parent.parent / "pipelines" / "bar.yml"
    write_threshold(Pipelines().spec(pipeline), 77)
    assert pipeline.read_text(encoding="utf-8") == PIPELINE.replace("threshold: 80", "threshold: 77")


@pytest.mark.parametrize(
    ("threshold", "message"), [("${CUTOFF:80}", "comes from CUTOFF"), (None, "has no `threshold`")]
)
def test_a_threshold_that_stands_elsewhere_is_left(tmp_path, threshold, message):
    new = f", threshold: '{threshold}'" if threshold else ""
    path = project(tmp_path, pipeline=PIPELINE.replace(", threshold: 80", new))
    with pytest.raises(NoThreshold, match=message):
        write_threshold(Pipelines().spec(path.parent.parent / "pipelines" / "bar.yml"), 77)


def test_a_pipeline_without_replies_has_none(tmp_path):
    path = project(tmp_path, pipeline=PIPELINE.replace("  - {id: canned, kind: replies, threshold: 80}\n", ""))
    with pytest.raises(NoThreshold):
        threshold_step(Pipelines().spec(path.parent.parent / "pipelines" / "bar.yml"))
