from pathlib import Path

import pytest

from engine.pipeline.reading.files import Sources
from engine.pipeline.schema.load import read_pipeline
from engine.validation.checks.goldens import golden_problems
from engine.validation.project import validate
from tests.fakes.golden import GOLDEN, PIPELINE, project


def problems_of(tmp_path: Path, golden: str) -> list[str]:
    path = project(tmp_path, golden)
    found = golden_problems(path, lambda pipeline: read_pipeline(pipeline).named)
    return [f"{problem.span.line} {problem.code} {problem.message} | {problem.hint}" for problem in found]


def test_what_is_there_is_no_problem(tmp_path):
    assert problems_of(tmp_path, GOLDEN) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("engine: external", "reply_id: greet_evenin", "16 P307 the pipeline has no reply `greet_evenin`"),
        ("engine: external", "matches: '('", "16 P406 "),
        ("engine: external", "step: asks", "16 P304 the pipeline has no step `asks` | did you mean `ask`?"),
        (
            "engine: external",
            "remembers: {nane: null}",
            "16 P316 the pipeline has no memory `nane` | did you mean `name`?",
        ),
        (
            "    turns:",
            "    memory: {drink: ビール}\n    turns:",
            "8 P316 the pipeline has no memory `drink` | known: `name`, `bottle`",
        ),
        ("model: large", "model: larg", "17 P306 the pipeline has no model `larg` | did you mean `large`?"),
        ("large: {says", "larg: {says", "13 P306 the pipeline has no model `larg` | did you mean `large`?"),
        (
            "escalations: []",
            "escalations: [error, {reason: error, step: tak}]",
            "18 P304 the pipeline has no step `tak` | did you mean `talk`?",
        ),
        (
            "    turns:",
            "    env: {LOCAL_LLM_TEMPERATUR: 0}\n    turns:",
            "8 P310 unknown environment variable `LOCAL_LLM_TEMPERATUR` | did you mean `LOCAL_LLM_TEMPERATURE`?",
        ),
        ("    turns:", "    env: {OPENAI_API_KEY: x}\n    turns:", "8 P310 `OPENAI_API_KEY` is a secret"),
        (
            "pipelines/bar.yml",
            "pipelines/kitchen.yml",
            "2 P301 no pipeline at `../pipelines/kitchen.yml` | it is looked",
        ),
        (
            "pipelines/bar.yml",
            "pipelines/bar",
            "2 P301 no pipeline at `../pipelines/bar` | did you mean `../pipelines/bar.yml`?",
        ),
    ],
)
def test_what_the_pipeline_does_not_have(tmp_path, old, new, problem):
    (found,) = problems_of(tmp_path, GOLDEN.replace(old, new))
    assert found.startswith(problem)


@pytest.mark.parametrize("variable", ["USE_LOCAL_LLM", "OPENAI_MODEL", "LOCAL_LLM_MODEL"])
def test_variables_of_the_engine_and_the_pipeline_may_be_set(tmp_path, variable):
    golden = GOLDEN.replace("    turns:", f"    env: {{{variable}: x}}\n    turns:")
    assert problems_of(tmp_path, golden) == []


def test_a_variable_that_names_a_backend_may_be_set(tmp_path):
    pipeline = PIPELINE.replace("{backend: openai,", '{backend: "${OWN_BACKEND:openai}",')
    golden = GOLDEN.replace("    turns:", "    env: {OWN_BACKEND: scripted}\n    turns:")
    path = project(tmp_path, golden, pipeline=pipeline)
    assert golden_problems(path, lambda one: read_pipeline(one).named) == []


def test_a_broken_pipeline_is_not_told_again(tmp_path):
    project(tmp_path, pipeline="version: 1\n")
    found = golden_problems(tmp_path / "golden" / "bar.golden.yml", lambda pipeline: read_pipeline(pipeline).named)
    assert found == []


def test_validate_checks_goldens_and_passes_cassettes_over(tmp_path):
    path = project(tmp_path, GOLDEN.replace("engine: external", "step: asks"))
    path.with_name("bar.cassette.yml").write_text("nonsense: [", encoding="utf-8")
    findings = validate([tmp_path / "golden"], Sources())
    assert [problem.code for problem in findings.problems] == ["P304"]
    assert findings.files == {path.as_posix()}
