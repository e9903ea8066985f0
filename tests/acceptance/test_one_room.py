"""Whoever adds a step kind, a backend or a check writes one module and one row: everything else follows from them.

A copy of the engine gets one of each, by the recipes of CONTRIBUTING.md and nothing more, and is used as ever. What
fails here names a place that would have to know of the newcomer as well.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.processes import ROOT, run

KEY = "canary-of-the-echo"

MODULES = {
    "steps/count.py": '''
"""The `count` step: says how long the text is."""

from engine.core.record import replace
from engine.steps.kinds import Answer, Told

SCHEMA = {
    "description": "Says how long the text is.",
    "required": ["unit"],
    "properties": {"unit": {"description": "What is counted.", "$ref": "#/$defs/text"}},
}


def read(spec, node):
    return replace(spec, answers=True, own=node.text("unit").value)


def run(step, scene):
    return Answer(reply=f"{len(scene.turn.text)} {step.own}", engine="canned")


def explain(step, view):
    return Told(action=f"counts {step.own}", answers=True)
''',
    "models/echo.py": '''
"""A model that repeats what it is told, and the key that it was given."""

from engine.core.ports import ModelStatus
from engine.core.turn import Completion
from engine.models.closed import ClosedModel
from engine.models.registry import given
from engine.models.settings import SettingError


class Echo:
    engine = "local"

    def __init__(self, volume, key):
        self._volume, self._key = volume, key

    def generate(self, prompt, deadline):
        text = " ".join([prompt.text] * self._volume)
        return Completion(text=f"{text} ({self._key})", finish_reason="stop", model="echo")

    def status(self):
        return ModelStatus(state="ready")

    def close(self):
        pass


def open_model(row, env):
    try:
        settings = given(row)
    except SettingError as error:
        return ClosedModel(engine="local", backend=row.backend, problem=str(error))
    return Echo(settings.get("volume", 1), env.get("ECHO_VOICE", ""))
''',
    "validation/checks/loud_replies.py": '''
"""P599: a reply in capitals."""

from engine.core.language import phrase
from engine.core.source import Code

P599 = Code("P599", "a loud reply", severity="warning")


def check(subject):
    for reply in subject.spec.replies:
        for variant in reply.say:
            if variant.text.value.isupper():
                message = phrase("reply `{name}` is loud", name=reply.id.value)
                yield P599.problem(message, variant.text.span, phrase("say it softly"))
''',
    "validation/pages/P599.md": "# P599: a loud reply\n\nIt is in capitals.\n\n## What to do\n\nSay it softly.\n",
}
ECHO = """\
    "echo": Backend(
        module="echo",
        engine="local",
        what="an echo",
        settings={"volume": Number(1, 3, "How often it calls.", whole=True)},
        credentials="ECHO_VOICE",
    ),
"""
ROWS = {
    "steps/kinds.py": [("STEP_KINDS: Mapping[str, str] = {\n", '    "count": "engine.steps.count",\n')],
    "models/registry.py": [
        (
            "BACKENDS: Mapping[str, Backend] = {\n",
            ECHO,
        ),
        ("from engine.models.settings import ", "Number, "),
    ],
    "validation/checks/__init__.py": [
        ("BEHAVIOUR: Sequence[Check] = (\n", "    loud_replies.check,\n"),
        ("from engine.validation.checks import (\n", "    loud_replies,\n"),
    ],
}
PIPELINE = """\
version: 1
name: bar
locale: en
persona: {name: Mai}
replies: [replies.yml]
models:
  cave: {backend: echo, volume: 2}
steps:
  - {id: canned, kind: replies}
  - {id: length, kind: count, unit: letters, when: len(text) > 20}
  - {id: talk, kind: generate, model: cave, prompt: p.j2}
  - {id: sorry, kind: say, reply: sorry}
"""
GOLDEN = """\
version: 1
pipeline: pipeline.yml
conversations:
  - name: all of them
    turns:
      - user: how long is this sentence of mine?
        expect: "?"
      - user: hello there
        models: {cave: recorded}
        expect: "?"
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the engine, the newcomers in it, and a pipeline that uses them."""
    folder = tmp_path_factory.mktemp("scratch")
    shutil.copytree(ROOT / "engine", folder / "engine")
    for path, text in MODULES.items():
        (folder / "engine" / path).write_text(text.lstrip(), "utf-8")
    for path, insertions in ROWS.items():
        file = folder / "engine" / path
        source = file.read_text("utf-8")
        for mark, row in insertions:
            assert source.count(mark) == 1, f"{path} has no place for {row}"
            source = source.replace(mark, mark + row)
        file.write_text(source, "utf-8")
    (folder / "pipeline.yml").write_text(PIPELINE, "utf-8")
    (folder / "replies.yml").write_text("replies:\n  - {id: sorry, say: [I am sorry.]}\n", "utf-8")
    (folder / "p.j2").write_text("You are {{ persona.name }}.\n", "utf-8")
    return folder


def misaki(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("engine", *arguments, cwd=folder, env={"ECHO_VOICE": KEY, "MISAKI_PIPELINE": "pipeline.yml"})


def test_what_they_need_is_validated(scratch: Path) -> None:
    assert misaki(scratch, "validate", "pipeline.yml").returncode == 0
    wrong = PIPELINE.replace(", unit: letters", "").replace("volume: 2", "volume: 9")
    (scratch / "wrong.yml").write_text(wrong.replace("replies.yml", "loud.yml"), "utf-8")
    (scratch / "loud.yml").write_text("replies:\n  - {id: sorry, say: [GO AWAY.]}\n", "utf-8")
    report = misaki(scratch, "validate", "wrong.yml", "--format", "json").stdout
    found = {problem["code"]: problem["message"] for problem in json.loads(report)["problems"]}
    assert found == {
        "P201": "missing key `unit` in step `length`",
        "P204": "expected at most 3, found `9` for `volume` in model `cave`",
        "P599": "reply `sorry` is loud",
    }


def test_they_are_documented(scratch: Path) -> None:
    assert misaki(scratch, "validate", "--explain", "P599").stdout.startswith("# P599: a loud reply\n")
    definitions = json.loads(misaki(scratch, "schema", "pipeline").stdout)["$defs"]
    assert definitions["step_count"]["properties"]["unit"]["description"] == "What is counted."
    assert "`count`: Says how long the text is." in definitions["step"]["properties"]["kind"]["description"]
    assert definitions["model"]["properties"]["volume"]["maximum"] == 3
    assert "`echo`: an echo" in definitions["model"]["properties"]["backend"]["description"]


def test_a_turn_runs_and_is_explained(scratch: Path) -> None:
    told = json.loads(
        misaki(scratch, "explain", "--run", "--format", "json", "how long is this sentence of mine?").stdout
    )
    assert [one["action"] for one in told["decisions"]] == ["goes on", "counts letters"]
    assert told["ran"]["reply"] == "34 letters"


def test_a_compiled_pipeline_holds_them(scratch: Path) -> None:
    assert misaki(scratch, "build", "--out", "bar.plan", "--plan-only").returncode == 0
    event = json.dumps({"input": "how long is this sentence of mine?"})
    (scratch / "event.json").write_text(event, "utf-8")
    env = {"MISAKI_PIPELINE": "pipeline.yml", "MISAKI_PLAN": "bar.plan"}
    done = run("engine", "invoke", "event.json", cwd=scratch, env=env)
    assert "34 letters" in done.stdout


def test_a_golden_records_them_without_the_key(scratch: Path) -> None:
    (scratch / "bar.golden.yml").write_text(GOLDEN, "utf-8")
    misaki(scratch, "test", "--record", "--accept", "bar.golden.yml")
    assert misaki(scratch, "test", "bar.golden.yml").returncode == 0
    recorded = "".join(file.read_text("utf-8") for file in scratch.glob("bar.golden*"))
    assert "34 letters" in recorded
    assert "hello there hello there ([secret])" in recorded
    assert KEY not in recorded
