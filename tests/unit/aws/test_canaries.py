"""No key, wherever an operator may have pasted it, and no path of the machine is in any answer, record or message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.aws.handler import make_handler, start
from engine.core.errors import ConfigError
from engine.core.source import Problem, Span
from engine.models.registry import BACKENDS
from engine.models.secrets import SECRETS, is_refused
from engine.pipeline.environment import VARIABLES

KEYS = {
    "openai": "sk-proj-canary0123456789canary",
    "aws id": "AKIACANARYCANARY0123"[:20],
    "aws": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYcanary0123",
    "hugging face": "hf_canaryCanary0123456789",
    "unknown": "c4n4ry0123456789abcdefc4n4ry0123",
}
PIPELINE = """\
version: 1
name: bar
locale: ja
timezone: Asia/Tokyo
deadline: ${MY_DEADLINE:5s}
persona: {name: 舞}
replies: [replies.yml]
models:
  small:
    backend: ${LOCAL_LLM_BACKEND:auto}
    path: ${LOCAL_LLM_MODEL:}
    temperature: ${LOCAL_LLM_TEMPERATURE:0.7}
  openai: {backend: openai, model: "${OPENAI_MODEL:gpt}", base_url: "${OPENAI_BASE_URL:http://127.0.0.1:9/v1}"}
  bedrock: {backend: bedrock, model: "${BEDROCK_MODEL:m}", region: "${BEDROCK_REGION:us-east-1}"}
  hugging: {backend: huggingface, model: "${HUGGINGFACE_MODEL:m}", base_url: "${MY_ADDRESS:http://127.0.0.1:9}"}
steps:
  - {id: canned, kind: replies, threshold: "${MY_THRESHOLD:80}"}
  - id: talk
    kind: generate
    models: [small, openai, bedrock, hugging]
    prompt: prompt.j2
    timeout: ${MY_TIMEOUT:2s}
"""
REPLIES = """\
replies:
  - id: told
    match: [教えて]
    say: ["{{ env }} {{ client.no.such }}"]
  - id: shown
    match: [見せて]
    say: ["{{ env.OPENAI_MODEL }}{{ env.BEDROCK_REGION }}{{ env.LOCAL_LLM_MODEL }}"]
"""


@pytest.fixture
def pipeline(tmp_path):
    folder = tmp_path / "a folder" / "of mine"
    folder.mkdir(parents=True)
    (folder / "bot.yml").write_text(PIPELINE)
    (folder / "replies.yml").write_text(REPLIES)
    (folder / "prompt.j2").write_text("あなたは{{ persona.name }}。{{ client.no.such }}")
    return folder / "bot.yml"


def said(env, capfd):
    """Everything that comes out of a bot with this environment: responses, records, streams."""
    records = []
    env = {"ALLOW_DEBUG": "true", "LOG_TEXT": "true", "CLIENT_TOKEN": "canary-token-of-clients", **env}
    handle = start(env, log=records.append)
    answers = [handle({"input": text, "debug": True}, None) for text in ("教えて", "見せて", "星の話")]
    health = {"requestContext": {"http": {"method": "GET"}}, "rawPath": "/health", "version": "2.0"}
    answers.append(handle({**health, "headers": {"authorization": "Bearer canary-token-of-clients"}}, None))
    return json.dumps([answers, records], ensure_ascii=False) + "".join(capfd.readouterr())


NAMES = sorted(
    {*VARIABLES, "MY_DEADLINE", "MY_THRESHOLD", "MY_TIMEOUT", "MY_ADDRESS", "SESSION_STORE", "ALLOWED_ORIGINS"}
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_a_wrong_variable_is_nowhere(key, pipeline, capfd):
    for name in NAMES:
        everything = said({"MISAKI_PIPELINE": str(pipeline), name: KEYS[key]}, capfd)
        assert KEYS[key] not in everything, name
        assert KEYS[key][4:16] not in everything, name


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_the_value_of_a_secret_is_nowhere_though_another_variable_has_it_too(secret, pipeline, capfd):
    for name in NAMES:
        everything = said(
            {"MISAKI_PIPELINE": str(pipeline), name: "canary-of-no-form", secret: "canary-of-no-form"}, capfd
        )
        assert "canary-of-no-form" not in everything, name


def test_no_answer_holds_a_path_of_this_machine(pipeline, capfd, tmp_path):
    (tmp_path / "a folder" / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    for model in ("missing.gguf", "broken.gguf", "of mine"):
        env = {"MISAKI_PIPELINE": str(pipeline), "LOCAL_LLM_MODEL": str(tmp_path / "a folder" / model)}
        answers = json.loads(said(env, capfd).rpartition("]]")[0] + "]]")[0]
        assert str(tmp_path) not in json.dumps(answers)
        assert "a folder" not in json.dumps(answers)


def test_a_pipeline_that_does_not_load_tells_no_secret(pipeline):
    records = []
    pipeline.write_text(PIPELINE.replace("舞", "sk-canary0123456789canary: ["))
    with pytest.raises(ConfigError):
        start({"MISAKI_PIPELINE": str(pipeline)}, log=records.append)
    assert records
    assert "canary" not in json.dumps(records)


def problem(message):
    return Problem(code="P101", message=message, span=Span(file="x", line=1, column=1, end_line=1, end_column=2))


class Leaking:
    """A bot whose mistakes quote what they should not."""

    def reply(self, _request, _deadline):
        raise ConfigError([problem("sk-canary0123456789canary and canary-of-no-form")])

    def left(self, *_):
        return None

    def masked(self, text):
        return text

    def health(self):
        """A place with a blank, a value that is no text, a key of a known form."""
        return {
            "status": "ok",
            "models": {
                "m": {
                    "detail": "`/srv/my models/x.gguf` with canary-of-no-form, see /var/lib/x/y.log",
                    "file": Path("/srv/my models/x.gguf"),
                    "key": "is sk-canary0123456789canary",
                    "share": 0.5,
                }
            },
        }


def test_what_a_bot_says_of_itself_is_searched_at_the_edge():
    records = []
    env = {"OPENAI_API_KEY": "canary-of-no-form", "LOG_TEXT": "true", "CLIENT_TOKEN": "token-of-clients"}
    handle = make_handler(Leaking(), env, log=records.append)
    health = {"requestContext": {"http": {"method": "GET"}}, "rawPath": "/health", "version": "2.0"}
    answer = handle({**health, "headers": {"authorization": "Bearer token-of-clients"}}, None)
    assert json.loads(answer["body"]) == {
        "status": "ok",
        "models": {
            "m": {
                "detail": "`x.gguf` with [secret], see y.log",
                "file": "my models/x.gguf",
                "key": "is [secret]",
                "share": 0.5,
            }
        },
    }
    assert handle({"input": "x"}, None)["statusCode"] == 503
    assert "canary" not in json.dumps(records)


@pytest.mark.parametrize(
    "name",
    ["CLIENT_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_LAMBDA_FUNCTION_NAME", "DB_PASSWORD", "MY_SECRET_NAME", "GH_TOKEN"],
)
def test_a_setting_from_a_secret_is_an_error(name, pipeline):
    pipeline.write_text(PIPELINE.replace("MY_ADDRESS", name))
    records = []
    with pytest.raises(ConfigError) as raised:
        start({"MISAKI_PIPELINE": str(pipeline), name: "canary-of-no-form"}, log=records.append)
    (found,) = raised.value.problems
    assert (found.code, found.severity, found.span.line) == ("P310", "error", 15)
    assert "remove it" in found.hint


def test_every_backends_credentials_are_refused():
    assert all(is_refused(row.credentials) for row in BACKENDS.values() if row.credentials)
    assert not [name for name in VARIABLES if is_refused(name)]
    assert not is_refused("AWS_REGION")


@pytest.mark.parametrize("name", ["CLIENT_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"])
def test_neither_a_condition_nor_a_template_reads_a_secret(name, pipeline):
    (pipeline.parent / "replies.yml").write_text(
        f"replies:\n  - id: a\n    match: [教えて]\n    when: env.{name} == 'x'\n    say: ['{{{{ env.{name} }}}}']\n"
    )
    with pytest.raises(ConfigError) as raised:
        start({"MISAKI_PIPELINE": str(pipeline), name: "canary-of-no-form"}, log=lambda _: None)
    assert [(one.code, one.severity) for one in raised.value.problems] == [("P402", "error")] * 2
