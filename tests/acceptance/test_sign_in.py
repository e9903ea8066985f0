"""Tokens that Cognito's managed login gave, and forged ones, at a running server. Cognito is ministack's."""

import hmac
import json
from contextlib import ExitStack
from hashlib import sha256

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from jwt.utils import base64url_decode, base64url_encode

from tests.acceptance.cognito import pool
from tests.acceptance.processes import ministack, served
from tools.lambda_emulator import free_port

PAGE = "http://localhost:8080/signin.html"
YUKI, KEN = "yuki@example.com", "ken@example.com"


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with ministack(free_port(), tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture(scope="module")
def guests(aws):
    with pool(aws, PAGE, YUKI, KEN) as made:
        yield made


@pytest.fixture(scope="module")
def tokens(guests):
    return guests.sign_in(YUKI)


@pytest.fixture(scope="module")
def server(guests):
    with served(env={**guests.settings, "SESSION_STORE": "memory"}) as running:
        yield running


def ask(server, method, path, token=None, body=None):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(timeout=60) as client:
        response = client.request(method, server.url + path, headers=headers, json=body)
    return response.status_code, response.json()


def parts(token):
    header, claims, signature = token.split(".")
    return json.loads(base64url_decode(header)), json.loads(base64url_decode(claims)), signature


def assembled(header, claims, sign):
    signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, claims))
    return (signed + b"." + base64url_encode(sign(signed))).decode()


def test_an_access_token_opens_the_rooms_of_its_user_and_of_nobody_else(server, guests, tokens):
    mine, others = tokens["access_token"], guests.sign_in(KEN)["access_token"]
    status, answer = ask(server, "POST", "/chat", mine, {"input": "こんばんは"})
    assert (status, answer["stored"]) == (200, True)
    room = answer["session_id"]
    assert [one["id"] for one in ask(server, "GET", "/rooms", mine)[1]["rooms"]] == [room]
    assert ask(server, "GET", "/rooms", others) == (200, {"rooms": [], "cursor": None})
    assert ask(server, "GET", f"/rooms/{room}", others)[1]["code"] == "room_unknown"
    assert ask(server, "GET", f"/rooms/{room}")[1]["code"] == "room_unknown"
    first, second = (ask(server, "GET", "/me", token)[1]["id"] for token in (mine, others))
    assert first != second


def test_who_has_not_signed_in_is_answered_and_has_no_list_of_rooms(server):
    assert ask(server, "POST", "/chat", body={"input": "こんばんは"})[0] == 200
    status, answer = ask(server, "GET", "/rooms")
    assert (status, answer["code"]) == (401, "sign_in_required")


def test_an_id_token_is_no_access_token(server, tokens):
    status, answer = ask(server, "GET", "/rooms", tokens["id_token"])
    assert (status, answer["code"]) == (401, "token_wrong_purpose")


def test_a_token_of_another_pool_comes_from_another_issuer(server, aws):
    with pool(aws, PAGE, YUKI) as other:
        status, answer = ask(server, "GET", "/rooms", other.sign_in(YUKI)["access_token"])
    assert (status, answer["code"]) == (401, "token_wrong_issuer")


def test_forged_tokens_are_not_signed_by_the_issuer(server, guests, tokens):
    header, claims, signature = parts(tokens["access_token"])
    (row,) = [row for row in httpx.get(guests.settings["AUTH_JWKS_URL"]).json()["keys"] if row["kid"] == header["kid"]]
    public = jwt.PyJWK(row).key
    shapes = [
        public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
    ]
    forged = [
        assembled({**header, "alg": "none"}, claims, lambda _signed: base64url_decode(signature)),
        assembled(header, {**claims, "sub": "somebody else"}, lambda _signed: base64url_decode(signature)),
        assembled({**header, "kid": "../../etc/passwd"}, claims, lambda _signed: base64url_decode(signature)),
        *(
            assembled({**header, "alg": "HS256"}, claims, lambda signed, key=key: hmac.digest(key, signed, sha256))
            for key in (*shapes, json.dumps(row).encode())
        ),
    ]
    for token in forged:
        status, answer = ask(server, "GET", "/rooms", token)
        assert (status, answer["code"]) == (401, "token_invalid_signature")
    unsigned = assembled({**header, "alg": "none"}, claims, lambda _signed: b"")
    assert ask(server, "GET", "/rooms", unsigned)[1]["code"] == "token_malformed"


def test_no_log_line_holds_a_part_of_a_token(guests, tokens):
    with served(env={**guests.settings, "SESSION_STORE": "memory"}) as running:
        for kind in ("access_token", "id_token"):
            ask(running, "GET", "/rooms", tokens[kind])
        _, rest = running.stop(2)
    said = "".join(running.said) + rest
    assert "token_wrong_purpose" in said
    assert not [part for token in tokens.values() for part in str(token).split(".") if len(part) > 8 and part in said]


def test_known_keys_go_on_while_the_key_server_is_down(tmp_path):
    with ExitStack() as running:
        with ministack(free_port(), tmp_path) as url, pool(url, PAGE, YUKI) as made:
            token = made.sign_in(YUKI)["access_token"]
            server = running.enter_context(served(env={**made.settings, "SESSION_STORE": "memory"}))
            assert ask(server, "GET", "/rooms", token)[0] == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(made.settings["AUTH_JWKS_URL"])
        assert ask(server, "GET", "/rooms", token)[0] == 200
        unknown = assembled({"alg": "RS256", "kid": "new"}, parts(token)[1], lambda _signed: b"x" * 256)
        assert ask(server, "GET", "/rooms", unknown)[1]["code"] == "token_invalid_signature"
