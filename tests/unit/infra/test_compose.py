"""The compose file: whatever the README calls a setting reaches the container."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_every_setting_is_handed_on(page):
    rows = re.findall(r"^\| (`[A-Z_]+`.*?) \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    settings = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(settings) >= 19
    assert settings <= SERVICES["lambda"]["environment"].keys()


def test_no_key_is_written_down():
    environment = SERVICES["lambda"]["environment"]
    secret = {name for name in environment if re.search(r"KEY|TOKEN$|CREDENTIALS", name)}
    assert len(secret) >= 7
    assert {environment[name] for name in secret} == {None}


COPIED = {
    source
    for words in re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    for source in words.split()
}
ALLOWED = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))


def test_the_build_gets_what_it_copies_and_nothing_more():
    roots = {source.partition("/")[0] for source in COPIED - {"${MODEL}"}}
    assert roots == ALLOWED - {".models"}
    assert {name for name in roots if not (ROOT / name).exists()} == set()


def test_whatever_a_pipeline_reads_is_in_the_image():
    """The folders that pipelines name beside their own."""
    named = {
        folder
        for pipeline in (ROOT / "pipelines").glob("*.yml")
        for folder in re.findall(r"\.\./(\w+)/", pipeline.read_text("utf-8"))
    }
    assert named
    assert named <= COPIED


def test_the_image_without_a_target_is_the_one_of_production():
    """No later stage, no other user, nothing of development."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)
    assert stages[-1] == ("runtime", "production")
    assert text.rstrip().endswith("FROM runtime AS production")


def test_the_image_says_whose_work_it_holds():
    assert (
        "COPY LICENSE NOTICE ./"
        in (ROOT / "Dockerfile").read_text("utf-8").partition("AS runtime")[2].partition("FROM")[0]
    )
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms" in notice


def test_compose_builds_the_same_base_as_docker():
    base = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert [f"${{BASE_IMAGE:-{name}}}" for name in base] == [SERVICES["lambda"]["build"]["args"]["BASE_IMAGE"]]


def test_web_clients_have_a_port_beside_the_emulator_s():
    """Both are for this machine alone."""
    entrypoint = re.findall(
        r'^ENTRYPOINT \["python", "-m", "tools.dev", (.*)\]$', (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert len(entrypoint) == 1
    assert SERVICES["lambda"]["ports"] == ["127.0.0.1:${PORT:-9000}:8080", "127.0.0.1:${CHAT_PORT:-9001}:8081"]
    assert '"--port", "8080", "--chat-port", "8081"' in entrypoint[0]


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_the_pages_show_the_commands(page):
    text = (ROOT / page).read_text("utf-8")
    inside = 'docker compose run --rm --entrypoint "" lambda python -m'
    for command in ("docker compose up --build", "docker build .", *(f"{inside} {tool}" for tool in INSIDE)):
        assert command in text, command


INSIDE = ("pytest", "ruff check .", "ruff format")
