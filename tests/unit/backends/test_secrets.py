import pytest

from engine.backends.secrets import HIDDEN, Secrets


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HUGGINGFACE_TOKEN", "CLIENT_TOKEN", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_is_hidden_wherever_it_stands(name):
    secrets = Secrets({name: "canary-12345"})
    assert secrets.hide("the key is canary-12345, is it") == f"the key is {HIDDEN}, is it"
    assert secrets.hide_all({"problem": "canary-12345", "tokens": 3}) == {"problem": HIDDEN, "tokens": 3}


def test_each_text_in_a_json_document_is_a_secret():
    document = '{"Credentials": {"AccessKeyId": "AKIAcanary01", "SecretAccessKey": "canary/secret"}}'
    secrets = Secrets({"BEDROCK_CREDENTIALS": document})
    assert secrets.hide("AKIAcanary01 canary/secret") == f"{HIDDEN} {HIDDEN}"


def test_the_longer_of_two_secrets_goes_first():
    secrets = Secrets({"OPENAI_API_KEY": "canary-1234", "HF_TOKEN": "canary-1234-long"})
    assert secrets.hide("canary-1234-long") == HIDDEN


@pytest.mark.parametrize("env", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "short"}, {"OTHER": "canary-12345"}])
def test_without_secrets_nothing_is_hidden(env):
    secrets = Secrets(env)
    assert not secrets
    assert secrets.hide("short canary-12345") == "short canary-12345"


def test_secrets_do_not_show_themselves():
    assert "canary" not in repr(Secrets({"OPENAI_API_KEY": "canary-12345"}))
