from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from engine.app import DEFAULT_PIPELINE
from engine.cli.env_file import Usage
from engine.cli.environment import conversation_env, keep_rooms, pipeline_path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory of somebody with two pipelines, and a file that is none."""
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "compose.yml").touch()
    for name in ("helpdesk.yml", "snack_misaki.yml", "a.golden.yml"):
        (tmp_path / "pipelines" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline_of(given: str | None, base: dict[str, str]) -> str:
    return pipeline_path(conversation_env(argparse.Namespace(pipeline=given), base)).as_posix()


@pytest.mark.usefixtures("folder")
def test_the_option_goes_before_the_variable_and_that_before_the_working_directory():
    variable = {"MISAKI_PIPELINE": "pipelines/helpdesk.yml"}
    assert pipeline_of("pipelines/snack_misaki.yml", variable) == "pipelines/snack_misaki.yml"
    assert pipeline_of(None, variable) == "pipelines/helpdesk.yml"
    assert pipeline_of(None, {}) == DEFAULT_PIPELINE


def test_without_any_it_is_the_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pipeline_of(None, {}) == (Path(__file__).parents[3] / DEFAULT_PIPELINE).as_posix()


@pytest.mark.usefixtures("folder")
def test_the_only_pipeline_of_a_folder_needs_no_name():
    Path(DEFAULT_PIPELINE).unlink()
    assert pipeline_of(None, {}) == "pipelines/helpdesk.yml"
    assert pipeline_of("pipelines/a.golden.yml", {}) == "pipelines/a.golden.yml"


@pytest.mark.usefixtures("folder")
def test_of_several_none_is_guessed():
    Path(DEFAULT_PIPELINE).rename("pipelines/other.yml")
    with pytest.raises(Usage, match=r"name one by --pipeline or MISAKI_PIPELINE, of `pipelines/helpdesk.yml`, `pipel"):
        pipeline_of(None, {})


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("helpdesk", "no pipeline at `helpdesk`: did you mean `pipelines/helpdesk.yml`?"),
        ("snack_misaki.yaml", "did you mean `pipelines/snack_misaki.yml`?"),
        ("pipelines/helpdsek.yml", "did you mean `pipelines/helpdesk.yml`?"),
        ("pipelines/nothing_alike.yml", "name a file, such as `pipelines/helpdesk.yml`"),
        ("nothing_alike.yml", "name a file, such as `pipelines/helpdesk.yml`"),
        ("pipelines", "`pipelines` is a folder: name a file, such as `pipelines/helpdesk.yml`"),
        ("empty", "`empty` is a folder: name a pipeline's file"),
    ],
)
def test_a_pipeline_that_is_not_there_is_told_with_the_one_that_is(given, told):
    with pytest.raises(Usage) as raised:
        pipeline_of(given, {})
    assert str(raised.value).endswith(told)


@pytest.mark.usefixtures("folder")
def test_the_variable_is_named_where_it_is_to_blame():
    with pytest.raises(Usage, match=r"MISAKI_PIPELINE: no pipeline at `helpdesk`: did you mean"):
        pipeline_of(None, {"MISAKI_PIPELINE": "helpdesk"})
    assert Path("pipelines").is_dir()


def test_rooms_are_kept_in_a_file_of_the_user_unless_a_setting_says_otherwise(tmp_path):
    env = {"SESSION_STORE": "memory"}
    notice = keep_rooms(env, {"XDG_DATA_HOME": str(tmp_path)})
    assert env["SESSION_STORE"] == f"sqlite:{tmp_path / 'misaki' / 'rooms.db'}"
    assert str(tmp_path / "misaki" / "rooms.db") in notice
    assert (tmp_path / "misaki").stat().st_mode & 0o777 == 0o700
    env = {"SESSION_STORE": "none"}
    assert keep_rooms(env, env).endswith(": none")
    assert env["SESSION_STORE"] == "none"


def test_where_no_folder_can_be_made_rooms_are_kept_in_memory(tmp_path):
    (tmp_path / "file").touch()
    env = {"SESSION_STORE": "memory"}
    notice = keep_rooms(env, {"XDG_DATA_HOME": str(tmp_path / "file")})
    assert env["SESSION_STORE"] == "memory"
    assert "set SESSION_STORE" in notice
