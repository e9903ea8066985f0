"""A new bot in a folder of its own, run by the package as it is installed: no file of this repository is near."""

from __future__ import annotations

import pytest

from tests.acceptance.processes import post, python_path, run, served

FIRST = {"ja": ("こんばんは", "お名前は？", "こはる"), "en": ("Good evening", "What's your name?", "Robin")}


@pytest.mark.parametrize("language", FIRST)
def test_it_validates_passes_talks_and_serves_without_an_edit(language, installed, tmp_path):
    greeting, question, persona = FIRST[language]
    env = {"PYTHONPATH": python_path(installed), "XDG_DATA_HOME": str(tmp_path / "data")}
    made = run("engine", "init", "bot", "--lang", language, "--persona", persona, cwd=tmp_path, env=env)
    assert made.returncode == 0, made.stderr
    bot = tmp_path / "bot"
    assert f"Origin: {installed.as_posix()}/" in run("inspect", "--details", "engine", cwd=bot, env=env).stdout

    checked = run("engine", "validate", "--strict", cwd=bot, env=env)
    assert (checked.returncode, checked.stdout[:11]) == (0, "no problems")
    played = run("engine", "test", cwd=bot, env=env)
    assert played.returncode == 0, played.stdout
    talked = run("engine", "chat", cwd=bot, env=env, stdin=f"{greeting}\n{question}\n")
    assert talked.returncode == 0, talked.stderr
    assert persona in talked.stdout
    with served(cwd=bot, env=env) as server:
        status, answer = post(f"{server.url}/chat", {"input": question})
    assert (status, answer["engine"], answer["reply_id"]) == (200, "canned", "name")
    assert persona in answer["reply"]
    assert run("engine", "init", "bot", cwd=tmp_path, env=env).returncode == 2
