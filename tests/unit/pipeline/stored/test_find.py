"""An artefact says what its sources say, and is left aside with a reason whenever that may not be so."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.core.plan import Plan
from engine.core.record import field_names
from engine.core.table import Damaged
from engine.pipeline.bind import bind
from engine.pipeline.stored.container import open_container, write_container
from engine.pipeline.stored.find import artefact_path, find_compiled
from engine.validation.load import load, write_artefact

ROOT = Path(__file__).parents[4]
TEXTS = (
    "こんばんは",
    "コンバンハー！",
    "今夜も来たよ",
    "",
    "疲れた",
    "hello",
    "いつもの",
    "お会計して",
    "おやすみなさい",
    "水割りください",
)


def old(folder: Path) -> Path:
    """`folder` with files old enough for their dates to be trusted."""
    for file in folder.rglob("*.*"):
        os.utime(file, (time.time() - 100, time.time() - 100))
    return folder


def shipped(name: str, folder: Path) -> Path:
    for part in ("pipelines", "replies", "kinds"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".cache"))
    return old(folder) / "pipelines" / f"{name}.yml"


@pytest.fixture
def pipeline(tmp_path):
    """A small one."""
    folder = Path(shutil.copytree(ROOT / "tests/configs/good/bar", tmp_path / "bar"))
    path = folder / "pipeline.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("[replies.yml]", "['replies*.yml']"), encoding="utf-8")
    return old(folder) / "pipeline.yml"


@pytest.fixture
def built(pipeline):
    write_artefact(pipeline, artefact_path(pipeline.as_posix()))
    return pipeline


def found(pipeline: Path, **env: str):
    return find_compiled(pipeline.as_posix(), env)


def compiled(pipeline: Path):
    result = found(pipeline)
    assert result.compiled is not None, result.note
    return result.compiled


def same(one: Plan, other: Plan) -> None:
    for name in field_names(Plan):
        if name not in ("replies", "index", "kinds", "spoken"):
            assert getattr(one, name) == getattr(other, name), name
    assert list(one.replies) == list(other.replies)
    said = [variant.text.source for reply in one.replies for variant in reply.say]
    assert list(map(one.spoken.find, said)) == list(map(other.spoken.find, said))
    assert list(one.index.triggers) == list(other.index.triggers)
    assert list(one.index.forms) == list(other.index.forms)
    for text in TEXTS:
        for threshold in (60.0, 80.0, 100.0):
            assert list(one.index.candidates(text, threshold)) == list(other.index.candidates(text, threshold))
        assert one.index.explain(text, 60.0) == other.index.explain(text, 60.0)
        if one.kinds is not None:
            assert one.kinds.chances(text) == other.kinds.chances(text)


@pytest.mark.parametrize("name", ["helpdesk", "snack_misaki"])
@pytest.mark.parametrize("env", [{}, {"LOCAL_LLM_MODEL": "a.gguf", "LOCAL_LLM_TEMPERATURE": "hot"}])
def test_it_says_what_the_sources_say(tmp_path, name, env):
    pipeline = shipped(name, tmp_path)
    out = str(tmp_path / "out.plan")
    write_artefact(pipeline, out)
    result = find_compiled(pipeline.as_posix(), {"MISAKI_PLAN": out})
    assert result.note == ""
    same(bind(result.compiled, env), load(pipeline, env))


def test_it_keeps_every_key_that_a_pipeline_may_hold(tmp_path):
    folder = old(Path(shutil.copytree(ROOT / "tests/configs/good/everything", tmp_path / "everything")))
    pipeline, out = folder / "pipeline.yml", str(tmp_path / "out.plan")
    write_artefact(pipeline, out)
    plan = bind(find_compiled(pipeline.as_posix(), {"MISAKI_PLAN": out}).compiled, {})
    same(plan, load(pipeline, {}))


def test_without_one_there_is_nothing_to_say(pipeline):
    assert (found(pipeline).compiled, found(pipeline).note) == (None, "")


def test_it_can_be_left_aside(built):
    assert (found(built, MISAKI_PLAN="off").compiled, found(built, MISAKI_PLAN="off").note) == (None, "")


def touch(path: Path) -> None:
    os.utime(path)


def edit(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n# a word more\n", encoding="utf-8")


def edit_in_place(path: Path) -> None:
    """Same size, other words."""
    path.write_text(path.read_text(encoding="utf-8").replace("e", "a", 1), encoding="utf-8")


@pytest.mark.parametrize("change", [edit, edit_in_place, Path.unlink])
@pytest.mark.parametrize("part", ["pipeline.yml", "replies.yml", "prompt.j2"])
def test_a_changed_source_makes_it_stale(built, change, part):
    change(built.parent / part)
    result = found(built)
    assert result.compiled is None
    assert "`misaki build` makes it anew" in result.note
    assert "has changed" in result.note or "names other files now" in result.note


def test_a_new_source_makes_it_stale(built):
    (built.parent / "replies2.yml").write_text("replies: []", encoding="utf-8")
    assert "names other files now" in found(built).note


def test_a_source_that_changed_while_it_was_built_makes_it_stale(pipeline):
    ahead = time.time() + 5
    os.utime(pipeline, (ahead, ahead))
    write_artefact(pipeline, artefact_path(pipeline.as_posix()))
    assert "has changed" in found(pipeline).note


def test_a_date_alone_does_not(built):
    for file in built.parent.rglob("*.yml"):
        touch(file)
    assert compiled(built)


@pytest.mark.parametrize(
    ("key", "value"), [("format", 0), ("engine", "0.0.0"), ("python", [2, 7]), ("pipeline", "pipelines/other.yml")]
)
def test_a_foreign_one_is_not_used(built, key, value):
    path = artefact_path(built.as_posix())
    container = open_container(path)
    about = {**container.about, key: value}
    write_container(path, about, {name: bytes(data) for name, data in container.sections.items()})
    note = found(built).note
    assert "made by another version" in note or "made of `pipelines/other.yml`" in note


def test_other_code_makes_it_stale(built):
    path = artefact_path(built.as_posix())
    container = open_container(path)
    marks = [[name, size, date, digest] for name, size, date, digest in container.about["code"]]
    marks[0][1] += 1
    about = {**container.about, "code": marks}
    write_container(path, about, {name: bytes(data) for name, data in container.sections.items()})
    assert "the engine has changed" in found(built).note


def test_damage_is_never_believed(built):
    """A byte changed anywhere: it is left aside, or noticed at the piece, or the answers are the same."""
    path = Path(artefact_path(built.as_posix()))
    data = path.read_bytes()
    plan = bind(compiled(built), {})
    right = {text: [list(plan.index.candidates(text, 80.0)), plan.replies[0]] for text in TEXTS}
    for place in range(0, len(data), 41):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        result = found(built)
        if result.compiled is None:
            assert "is not used" in result.note
            continue
        damaged = bind(result.compiled, {})
        for text, answer in right.items():
            try:
                assert [list(damaged.index.candidates(text, 80.0)), damaged.replies[0]] == answer
            except Damaged:
                break


def test_a_pipeline_with_mistakes_is_not_built(pipeline):
    pipeline.write_text("version: 1\nnmae: bar\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        write_artefact(pipeline, artefact_path(pipeline.as_posix()))
    assert not Path(artefact_path(pipeline.as_posix())).exists()
