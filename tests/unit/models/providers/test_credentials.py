from __future__ import annotations

import json

import pytest

from engine.models.providers.credentials import SettingError, aws, bearer

KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI", "token")


def bedrock(value: object) -> dict[str, str]:
    return {"B": value if isinstance(value, str) else json.dumps(value)}


def test_a_key_is_stripped() -> None:
    assert bearer({"K": " sk-1\n"}, "K") == "sk-1"


@pytest.mark.parametrize("env", [{}, {"K": ""}, {"K": "  "}])
def test_no_key(env: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"^K is not set: put the provider's API key there$"):
        bearer(env, "K")


@pytest.mark.parametrize("key", ["sk-1 sk-2", "sk\r\nHost: x", "鍵", "“sk-1”"])
def test_a_key_that_no_header_can_carry_is_not_shown(key: str) -> None:
    with pytest.raises(SettingError) as caught:
        bearer({"K": key}, "K")
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {"access_key_id": KEYS[0], "secret_access_key": KEYS[1], "session_token": KEYS[2]},
        {"accessKeyId": KEYS[0], "secretAccessKey": KEYS[1], "sessionToken": KEYS[2]},
        {"AccessKeyId": KEYS[0], "SecretAccessKey": KEYS[1], "SessionToken": KEYS[2]},
        {"aws_access_key_id": KEYS[0], "aws_secret_access_key": KEYS[1], "aws_session_token": KEYS[2]},
        {"AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1], "AWS_SESSION_TOKEN": KEYS[2]},
        {"Credentials": {"AccessKeyId": KEYS[0], "SecretAccessKey": KEYS[1], "SessionToken": KEYS[2]}},
    ],
)
def test_spellings_of_aws_keys(value: object) -> None:
    found = aws(bedrock(value), "B")
    assert (found.access_key_id, found.secret_access_key, found.session_token) == KEYS
    assert found.secrets == KEYS


@pytest.mark.parametrize("name", ["region", "aws_region", "AWS_DEFAULT_REGION"])
def test_a_region_may_stand_beside(name: str) -> None:
    assert aws(bedrock({name: "eu-west-1"}), "B").region == "eu-west-1"


@pytest.mark.parametrize("value", ["", " ", "{}", {"access_key_id": "", "session_token": None}])
def test_nothing_means_the_standard_chain(value: object) -> None:
    found = aws(bedrock(value), "B")
    assert (found.access_key_id, found.profile, found.secrets) == (None, None, ())


@pytest.mark.parametrize("value", ["bar-owner", {"profile": "bar-owner"}])
def test_a_profile(value: object) -> None:
    assert aws(bedrock(value), "B").profile == "bar-owner"


@pytest.mark.parametrize("value", ['{"access_key_id": "AKID', '{"a":' * 10_000])
def test_a_broken_object_is_not_shown(value: str) -> None:
    with pytest.raises(SettingError, match=r"^B begins like a JSON object") as caught:
        aws(bedrock(value), "B")
    assert "AKID" not in str(caught.value)


def test_half_a_pair_is_not_enough() -> None:
    with pytest.raises(SettingError, match="needs both"):
        aws(bedrock({"access_key_id": "AKID"}), "B")


def test_no_repr_shows_a_key() -> None:
    text = repr(aws(bedrock({"access_key_id": KEYS[0], "secret_access_key": KEYS[1]}), "B"))
    assert KEYS[0] not in text
    assert KEYS[1] not in text
