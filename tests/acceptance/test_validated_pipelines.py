"""What validates runs to an end, and what cannot run to an end or refers to nothing never validates.

Random pipelines of up to 30 steps, run with models that answer, refuse, or fail in every way.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.chat.step_runner import run_steps
from engine.cli import main
from engine.core.deadline import Deadline
from engine.core.errors import ConfigError, TimedOut, Unavailable
from engine.core.events import StepEnded, StepPassedOver
from engine.core.turn import Turn
from engine.pipeline.reading.files import Sources
from engine.text.normalise import normalise
from engine.validation.load import load
from engine.validation.project import validate
from tests.fakes.plans import FakeModel, services

NAMES = [f"s{number}" for number in range(30)]
WHENS = ["now.hour > 12", "'猫' in text", "vars.mood == 'good'", "env.USE_LOCAL_LLM", "false", "true"]
MODELS = {"yes": "はい。", "no": "", "late": TimedOut("late", backend="x"), "gone": Unavailable("gone", backend="x")}
REPLIES = """\
replies:
  - {id: sorry, say: [ごめんね。]}
  - {id: greet, match: [こんばんは], when: now.hour > 12, say: [いらっしゃい。]}
"""


def step(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """A step whose references may be wrong."""
    own: dict[str, dict[str, Any]] = {
        "replies": {},
        "say": {"reply": st.sampled_from(["sorry", "greet", "sory"])},
        "set": {"vars": st.just({"mood": "'good'"})},
        "generate": {
            "models": st.lists(st.sampled_from([*MODELS, "none"]), min_size=1, max_size=3),
            "prompt": st.sampled_from(["p.j2", "p.j2", "p.j2", "q.j2"]),
        },
    }
    optional = {"when": st.sampled_from(WHENS)}
    if kind == "generate":
        optional |= {
            "escalate_to": st.sampled_from(NAMES),
            "escalate_when": st.just(["error", "timeout", "empty", "repetition"]),
        }
    return st.fixed_dictionaries({"kind": st.just(kind), **own[kind]}, optional=optional)


STEPS = st.lists(st.one_of(*(step(kind) for kind in ("replies", "say", "set", "generate"))), min_size=1, max_size=30)


def write(folder: Path, steps: list[dict[str, Any]]) -> Path:
    pipeline = {
        "version": 1,
        "name": "random",
        "locale": "ja",
        "persona": {"name": "舞"},
        "replies": ["replies.yml"],
        "models": {name: {"backend": "scripted", "answers": ["x"]} for name in MODELS},
        "steps": [{"id": NAMES[place], **one} for place, one in enumerate(steps)],
    }
    (folder / "replies.yml").write_text(REPLIES, "utf-8")
    (folder / "p.j2").write_text("あなたは{{ persona.name }}。", "utf-8")
    path = folder / "pipeline.yml"
    path.write_text(json.dumps(pipeline, ensure_ascii=False, indent=1), "utf-8")
    return path


def refers_to_nothing_or_backward(steps: list[dict[str, Any]]) -> bool:
    return any(
        one.get("reply") == "sory"
        or "none" in one.get("models", ())
        or one.get("prompt") == "q.j2"
        or ("escalate_to" in one and not place < NAMES.index(one["escalate_to"]) < len(steps))
        or (one.get("when") == "vars.mood == 'good'" and not any(other["kind"] == "set" for other in steps))
        for place, one in enumerate(steps)
    )


@settings(max_examples=150)
@given(steps=STEPS, text=st.sampled_from(["こんばんは", "猫", "x"]), hour=st.integers(0, 23))
def test_what_validates_ends_and_what_cannot_end_does_not_validate(tmp_path_factory, steps, text, hour):
    path = write(tmp_path_factory.getbasetemp(), steps)
    errors = [problem for problem in validate([path], Sources()).problems if problem.severity == "error"]
    unusable = [problem for problem in errors if problem.code[1] in "1234"]
    assert bool(unusable) == refers_to_nothing_or_backward(steps)
    try:
        plan = load(path, {})
    except ConfigError:
        assert unusable
        return
    assert not unusable
    models = {name: FakeModel(answer) for name, answer in MODELS.items()}
    turn = Turn(text=text, now=datetime(2026, 11, 20, hour, tzinfo=UTC), session_id="s")
    outcome = run_steps(plan, turn, services(**models), Deadline.after(5))
    visited = [event.step for event in outcome.trace if isinstance(event, StepEnded | StepPassedOver)]
    assert visited == sorted(visited, key=NAMES.index)
    assert len(visited) == len(set(visited))
    always = any(one["kind"] == "say" and "when" not in one and "escalate_to" not in one for one in steps[-1:])
    assert outcome.reply is not None or not always


KANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのまみむめもらりるれろ"
KANJI = "雨茶酒肴港駅花犬町橋"
WORDS = st.text(alphabet=KANA + KANJI, min_size=3, max_size=8)


def witness(message: str) -> tuple[str, str] | None:
    """The sentence and who gets it, as the report says."""
    if "` goes to `" in message:
        before, thief = message.split("` goes to `")
        return before.split("`")[-1], thief.split("`")[0]
    if "` never selects `" in message:
        return message.split("`")[1], message.split("`: `")[1].split("`", maxsplit=1)[0]
    return None


@st.composite
def overlapping(draw: st.DrawFn) -> tuple[list[str], bool]:
    """Two replies that want the same sentences; and whether the validator must say that one loses."""
    word, more = draw(WORDS), draw(WORDS)
    # A vowel that goes on in what follows is drawn out there, and no part of the sentence as it is compared.
    assume(normalise(word) in normalise(word + more))
    way = draw(st.sampled_from(["same", "part", "regex", "inside"]))
    other = "".join(chr(ord(char) + 0x60) if char in KANA else char for char in word) + "！"
    first, second = {
        "same": (f"[{word}]", f"[{other}]"),
        "part": (f"[{{contains: {word}}}]", f"[{{contains: {word}{more}}}]"),
        "regex": (f"[{{contains: {word}}}]", f"[{{regex: '{word}(が|は){more}'}}]"),
        "inside": (f"[{{contains: {word}}}]", f"[{word}{more}]"),
    }[way]
    return [f"{{id: a, match: {first}, say: [x]}}", f"{{id: b, match: {second}, say: [x]}}"], way in {"same", "part"}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(case=overlapping())
def test_the_witness_of_a_theft_really_goes_to_the_thief(tmp_path, capsys, case):
    replies, certain = case
    (tmp_path / "replies.yml").write_text(REPLIES + "".join(f"  - {reply}\n" for reply in replies), "utf-8")
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text(
        "version: 1\nname: bar\nlocale: ja\npersona: {name: 舞}\nreplies: [replies.yml]\nsteps:\n"
        "  - {id: canned, kind: replies}\n  - {id: sorry, kind: say, reply: sorry}\n",
        "utf-8",
    )
    thefts = [witness(problem.message) for problem in validate([pipeline], Sources()).problems]
    told = [theft for theft in thefts if theft is not None]
    assert told or not certain
    for sentence, thief in told:
        capsys.readouterr()
        assert main(["explain", sentence, "--pipeline", str(pipeline), "--format", "json"]) == 0
        considered = json.loads(capsys.readouterr().out)["considered"]
        chosen = [one["reply_id"] for one in considered if one["verdict"] == "chosen"]
        assert chosen == [thief]
        assert "b" in [one["reply_id"] for one in considered]
