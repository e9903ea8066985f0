"""Secrets by reference: what is followed, what is kept out of the log, and what happens when one cannot be had."""

import json
import sys

import pytest

from engine.aws.secrets import resolve
from engine.core.errors import SecretUnavailable

CANARY = "sk-canary-5f1d"
STORES = {
    ("secretsmanager", "misaki/openai"): CANARY,
    ("ssm", "/misaki/token"): f" {CANARY}\n",
    ("secretsmanager", "misaki/all"): json.dumps({"openai": CANARY, "number": 7}),
    ("secretsmanager", "misaki/list"): "[]",
    ("secretsmanager", "misaki/blank"): " ",
}


class Shelf:
    def __init__(self):
        self.asked = []

    def __call__(self, store, name):
        self.asked.append((store, name))
        if (store, name) not in STORES:
            raise SecretUnavailable(f"`{store}:{name}` cannot be read (AccessDenied)")
        return STORES[store, name]


@pytest.fixture
def records():
    return []


@pytest.fixture
def follow(records):
    return lambda env: resolve(env, log=records.append, fetch=Shelf())


@pytest.mark.parametrize(
    "reference",
    ["secretsmanager:misaki/openai", "ssm:/misaki/token", "secretsmanager:misaki/all#openai", " ssm:/misaki/token "],
)
def test_a_reference_becomes_its_value(follow, records, reference):
    assert follow({"OPENAI_API_KEY": reference})["OPENAI_API_KEY"] == CANARY
    assert records == []


def test_values_and_other_variables_stay_as_they_are(records):
    shelf = Shelf()
    env = {"OPENAI_API_KEY": "sk-plain", "BEDROCK_CREDENTIALS": "profile", "MISAKI_PIPELINE": "ssm:/misaki/token"}
    assert resolve(env, log=records.append, fetch=shelf) == env
    assert shelf.asked == []


@pytest.mark.parametrize(
    "reference",
    [
        "ssm:/misaki/nobody",
        "secretsmanager:misaki/all#nobody",
        "secretsmanager:misaki/all#number",
        "secretsmanager:misaki/list#openai",
        "secretsmanager:misaki/openai#key",
        "secretsmanager:misaki/blank",
    ],
)
def test_a_key_that_cannot_be_had_is_empty_and_in_the_log(follow, records, reference):
    resolved = follow({"OPENAI_API_KEY": reference, "HUGGINGFACE_TOKEN": "ssm:/misaki/token"})
    assert resolved["OPENAI_API_KEY"] == ""
    assert resolved["HUGGINGFACE_TOKEN"] == CANARY
    [record] = records
    assert record["variable"] == "OPENAI_API_KEY"
    assert reference.partition("#")[0] in record["message"]
    assert CANARY not in json.dumps(records)


def test_without_boto3_a_reference_is_a_key_that_cannot_be_had(monkeypatch, records):
    monkeypatch.setitem(sys.modules, "boto3", None)
    env = resolve({"OPENAI_API_KEY": "ssm:/misaki/openai"}, log=records.append)
    assert env["OPENAI_API_KEY"] == ""
    assert "pip install boto3" in records[0]["message"]


def test_without_its_client_token_the_function_does_not_start(follow, records):
    with pytest.raises(SecretUnavailable, match=r"CLIENT_TOKEN: `ssm:/misaki/nobody`"):
        follow({"CLIENT_TOKEN": "ssm:/misaki/nobody"})
    assert records == []


def test_a_secret_that_several_share_is_fetched_once(records):
    shelf = Shelf()
    reference = "secretsmanager:misaki/openai"
    resolve({"OPENAI_API_KEY": reference, "CLIENT_TOKEN": reference}, log=records.append, fetch=shelf)
    assert shelf.asked == [("secretsmanager", "misaki/openai")]
