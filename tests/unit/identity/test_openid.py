"""Tokens that an issuer signed, and all the ways in which they are not for us."""

import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_decode, base64url_encode

from engine.core.deadline import Deadline
from engine.core.errors import SettingsError, Unavailable
from engine.core.turn import ANONYMOUS, Principal
from engine.identity.gate import Gate, NotIdentified
from engine.identity.keys import KEPT, PAUSE, IssuerKeys, KeysUnavailable, key_server, read_keys
from engine.identity.openid import LONGEST, LONGEST_NAME, Verifier
from tests.fakes.clock import FakeClock

ISSUER = "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_bar"
CLIENT = "4q6jexample"
NOW = 1_800_000_000
CLAIMS = {
    "iss": ISSUER,
    "sub": "b7f1",
    "client_id": CLIENT,
    "token_use": "access",
    "iat": NOW - 60,
    "exp": NOW + 3600,
    "username": "b7f1",
}
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  what must be refused


def row(key: rsa.RSAPrivateKey, kid: str = "one", **changes: Any) -> dict[str, Any]:
    return {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", "alg": "RS256", **changes}


def key_set(*rows: Any) -> bytes:
    return json.dumps({"keys": rows}).encode()


class KeyServer:
    """Answers with one key set, or not at all; counts how often it is asked."""

    def __init__(self, body: bytes | None) -> None:
        self.body, self.asked = body, 0

    def __call__(self, _deadline: Any) -> bytes:
        self.asked += 1
        if self.body is None:
            raise Unavailable("down", backend="the key server")
        return self.body


def verifier(server: KeyServer | None = None, clock: Callable[[], float] | None = None) -> Verifier:
    keys = IssuerKeys(server or KeyServer(key_set(row(PRIVATE))), clock or FakeClock())
    return Verifier(issuer=ISSUER, clients=frozenset({CLIENT, "other"}), keys=keys, now=lambda: NOW)


def token(claims: Mapping[str, Any] | None = None, key: Any = PRIVATE, alg: str = "RS256", **header: Any) -> str:
    named = {"kid": "one", **header}
    return jwt.encode(dict(CLAIMS if claims is None else claims), key, algorithm=alg, headers=named)


def without(*names: str, **changes: Any) -> dict[str, Any]:
    return {**{name: value for name, value in CLAIMS.items() if name not in names}, **changes}


def code_of(text: str, by: Verifier | None = None) -> str:
    with pytest.raises(NotIdentified) as caught:
        (by or verifier()).verify(text)
    assert len(text) < 8 or text not in str(caught.value)
    assert caught.value.status == (503 if caught.value.code == "keys_unavailable" else 401)
    return caught.value.code


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS,
        without("client_id", "token_use", aud=CLIENT),
        without("client_id", "token_use", aud=["somebody", "other"]),
        without("token_use", "iat", nbf=NOW),
        without(exp=NOW + 0.5),
        without(typ="Bearer"),
    ],
)
def test_an_access_token_names_its_user(claims):
    found = verifier().verify(token(claims))
    assert (found.kind, len(found.id), found.name) == ("user", 32, None)


def test_users_are_told_apart_by_issuer_and_subject():
    ids = {verifier().verify(token(without(sub=sub))).id for sub in ("a", "b", "a")}
    assert len(ids) == 2
    assert not any(one == "a" or "b7f1" in one for one in ids)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "佐藤 花子"}, "佐藤 花子"),
        ({"nickname": "はな\n\u202eちゃん"}, "はな ちゃん"),
        ({"name": "", "given_name": "Mei"}, "Mei"),
        ({"name": 7, "preferred_username": "mei"}, "mei"),
        ({"name": "あ" * 900}, "あ" * LONGEST_NAME),
        ({"name": "\u200b"}, None),
    ],
)
def test_a_name_is_clean_and_short(claims, name):
    assert verifier().verify(token(CLAIMS | claims)).name == name


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (without(exp=NOW), "token_expired"),
        (without(exp=NOW - 1), "token_expired"),
        (without(nbf=NOW + 1), "token_expired"),
        (without("exp"), "token_malformed"),
        (without(exp="tomorrow"), "token_malformed"),
        (without(exp=True), "token_malformed"),
        (without(exp=float("inf")), "token_malformed"),
        (without(exp=float("nan")), "token_malformed"),
        (without(nbf=None), "token_malformed"),
        (without(iss=ISSUER + "/"), "token_wrong_issuer"),
        (without(iss=ISSUER.upper()), "token_wrong_issuer"),
        (without("iss"), "token_wrong_issuer"),
        (without(client_id="stranger"), "token_wrong_audience"),
        (without(client_id="stranger", aud=CLIENT), "token_wrong_audience"),
        (without("client_id"), "token_wrong_audience"),
        (without("client_id", aud=[]), "token_wrong_audience"),
        (without("client_id", aud={CLIENT: 1}), "token_wrong_audience"),
        (without(client_id=[CLIENT]), "token_wrong_audience"),
        (without("client_id", aud=CLIENT, token_use="id"), "token_wrong_purpose"),  # noqa: S106  a claim
        (without(token_use=None), "token_wrong_purpose"),
        (without("token_use", typ="Refresh"), "token_wrong_purpose"),
        (without("token_use", "client_id", aud=CLIENT, at_hash="x"), "token_wrong_purpose"),
        (without("token_use", "client_id", aud=CLIENT, nonce="x"), "token_wrong_purpose"),
        (without("sub"), "token_malformed"),
        (without(sub=7), "token_malformed"),
        (without(sub=""), "token_malformed"),
    ],
)
def test_claims_that_are_not_for_us(claims, code):
    # PyJWT itself writes no such subject or issuer, so the payload is signed as it is.
    payload = json.dumps(claims).encode()
    signed = jwt.api_jws.encode(payload, PRIVATE, algorithm="RS256", headers={"kid": "one"})
    assert code_of(signed) == code


def test_other_signatures():
    public = PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, body, signature = token().split(".")
    assert code_of(token(key=OTHER)) == "token_invalid_signature"
    by_public_key = base64url_encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).decode() + f".{body}"
    mac = base64url_encode(hmac.digest(public, by_public_key.encode(), "sha256")).decode()
    assert code_of(f"{by_public_key}.{mac}") == "token_invalid_signature"
    assert code_of(token(key=None, alg="none") + "AA") == "token_invalid_signature"
    assert code_of(token(key=PRIVATE, alg="RS512")) == "token_invalid_signature"
    assert code_of(token(key=PRIVATE, alg="PS256")) == "token_invalid_signature"
    assert code_of(f"{head}.{body}.{signature[:-8]}AAAAAAAA") == "token_invalid_signature"
    changed = base64url_encode(json.dumps(without(sub="somebody")).encode()).decode()
    assert code_of(f"{head}.{changed}.{signature}") == "token_invalid_signature"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../etc/passwd"},
        {"kid": "http://evil.example/key"},
        {"kid": "two"},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"alg": "rs256"},
        {"alg": None},
    ],
)
def test_headers_that_lead_to_no_key(header):
    named = {"alg": "RS256", "kid": "one", **header}
    head = base64url_encode(json.dumps(named).encode()).decode()
    body = token().split(".")[1]
    signature = base64url_encode(RSAAlgorithm(RSAAlgorithm.SHA256).sign(f"{head}.{body}".encode(), PRIVATE)).decode()
    assert code_of(f"{head}.{body}.{signature}") == "token_invalid_signature"


def test_a_header_cannot_bring_its_own_key():
    assert code_of(token(key=OTHER, jwk=row(OTHER), jku="https://evil.example/keys")) == "token_invalid_signature"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "..",
        "{}.{}.x",
        "あ.い.う",
        f" {token()}",
        f"{token()}\n",
        token().replace(".", ".=", 1),
        "a" * LONGEST + "." + "b.c",
        ".".join(base64url_encode(part).decode() for part in (b"[]", b"{}", b"x")),
        ".".join(base64url_encode(part).decode() for part in (b'{"alg": "RS256", "alg": "none"}', b"{}", b"x")),
        ".".join(base64url_encode(part).decode() for part in (b"[" * 5000, b"{}", b"x")),
        ".".join(base64url_encode(part).decode() for part in (b'{"alg": "RS256"}', b"\xff", b"x")),
    ],
)
def test_what_is_no_token(text):
    assert code_of(text) == "token_malformed"


def test_a_signature_has_one_form():
    head, body, signature = token().split(".")
    # The last character of 256 bytes holds four bits that mean nothing; any other choice of them is another form.
    last = signature[:-1] + chr(ord(signature[-1]) + 1)
    assert base64url_decode(last) == base64url_decode(signature) or last[-1] not in "BCDEFGHIJKLMNOP"
    assert code_of(f"{head}.{body}.{last}") in {"token_malformed", "token_invalid_signature"}


def test_a_foreign_token_never_fetches_keys():
    server = KeyServer(key_set(row(PRIVATE)))
    by = verifier(server)
    assert code_of(token(without(iss="https://evil.example")), by) == "token_wrong_issuer"
    assert server.asked == 0


def test_ten_thousand_unknown_names_of_keys_fetch_once_in_ten_seconds():
    server, clock = KeyServer(key_set(row(PRIVATE))), FakeClock()
    keys = IssuerKeys(server, clock)
    for number in range(10_000):
        assert keys.find(f"kid-{number}") is None
        clock.advance(PAUSE / 10_000 * 0.99)
    assert server.asked == 1
    clock.advance(PAUSE)
    assert keys.find("new") is None
    assert server.asked == 2


def test_a_new_key_is_found_when_it_is_first_used():
    server, clock = KeyServer(key_set(row(PRIVATE))), FakeClock()
    by = verifier(server, clock)
    by.verify(token())
    server.body = key_set(row(PRIVATE), row(OTHER, "two"))
    clock.advance(PAUSE)
    assert by.verify(token(key=OTHER, kid="two")).kind == "user"
    assert server.asked == 2


def test_known_keys_go_on_while_the_server_is_down_and_withdrawn_ones_end():
    server, clock = KeyServer(key_set(row(PRIVATE))), FakeClock()
    by = verifier(server, clock)
    by.verify(token())
    server.body = None
    clock.advance(KEPT * 3)
    assert by.verify(token()).kind == "user"
    server.body = key_set(row(OTHER, "two"))
    clock.advance(PAUSE)
    assert code_of(token(), by) == "token_invalid_signature"


def test_without_keys_nobody_is_known():
    server, clock = KeyServer(None), FakeClock()
    by = verifier(server, clock)
    assert [code_of(token(), by) for _ in range(50)] == ["keys_unavailable"] * 50
    assert server.asked == 1
    server.body = key_set(row(PRIVATE))
    clock.advance(PAUSE)
    assert by.verify(token()).kind == "user"


@pytest.mark.parametrize(
    "one",
    [
        row(PRIVATE, use="enc"),
        row(PRIVATE, alg="RS512"),
        row(PRIVATE, key_ops=["sign"]),
        row(PRIVATE, kid=7),
        {**row(PRIVATE), "kty": "EC"},
        row(WEAK),
        {name: value for name, value in row(PRIVATE).items() if name != "n"},
        {**json.loads(RSAAlgorithm.to_jwk(PRIVATE)), "kid": "one"},
        "key",
    ],
)
def test_keys_that_verify_nothing(one):
    assert read_keys(key_set(one, row(OTHER, "good"))).keys() == {"good"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": {}}', b"[" * 5000, b"\xff"])
def test_what_is_no_key_set(body):
    with pytest.raises(ValueError, match=r"."):
        read_keys(body)


SESAME = "open-sesame"
SETTINGS = {"AUTH": "optional", "AUTH_ISSUER": ISSUER, "AUTH_CLIENT_IDS": CLIENT}


@pytest.mark.parametrize(
    "env",
    [
        {"AUTH": "maybe"},
        {"AUTH": "required"},
        SETTINGS | {"AUTH_ISSUER": "bar"},
        SETTINGS | {"AUTH_ISSUER": "http://bar.example"},
        SETTINGS | {"AUTH_CLIENT_IDS": " , "},
        SETTINGS | {"AUTH_JWKS_URL": "ftp://bar.example"},
        SETTINGS | {"AUTH_JWKS_URL": "http://bar.example/keys"},
    ],
)
def test_settings_that_do_not_fit_open_nothing(env):
    with pytest.raises(SettingsError, match="AUTH"):
        Gate.from_env(env)


def gate(**changes: Any) -> Gate:
    return Gate(verifier=verifier(), **changes)


@pytest.mark.parametrize(
    ("opened", "header", "wanted"),
    [
        (Gate(), "", ANONYMOUS),
        (Gate(), "Bearer anything", ANONYMOUS),
        (Gate(client_token=SESAME), f"Bearer {SESAME}", Principal(kind="token")),
        (gate(), "", ANONYMOUS),
        (gate(client_token=SESAME, required=True), f"Bearer {SESAME}", Principal(kind="token")),
        (Gate(client_token=SESAME), "", "authorization_invalid"),
        (gate(required=True), "", "token_missing"),
        (gate(client_token=SESAME), "", "token_missing"),
        (gate(), "Basic x", "token_malformed"),
        (gate(), "Bearer", "token_malformed"),
        (gate(), "Bearer x", "token_malformed"),
    ],
)
def test_who_may_ask(opened, header, wanted):
    if isinstance(wanted, Principal):
        assert opened.identify(header) == wanted
        return
    with pytest.raises(NotIdentified) as caught:
        opened.identify(header)
    assert caught.value.code == wanted


def test_a_user_may_ask():
    assert gate(required=True).identify(f"bearer  {token()}").kind == "user"


@contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """A server on loopback that sends these parts to whoever connects, and then nothing more; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            with suppress(OSError), listening.accept()[0] as connection:
                connection.recv(65_536)
                for part in parts:
                    connection.sendall(part)
                if parts[-1:] != (b"",):
                    return
                done.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/keys?of=bar"
        finally:
            done.set()
            thread.join()


KEYS = key_set(row(PRIVATE))
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        (OK + b"Content-Length: %d\r\n\r\n" % len(KEYS), KEYS[:9], KEYS[9:]),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(KEYS), KEYS, b"\r\n0\r\n\r\n"),
        (b"HTTP/1.0 200 OK\r\n\r\n", KEYS),
    ],
)
def test_the_key_server_s_answer_is_read(parts):
    with answering(*parts) as url:
        assert read_keys(key_server(url)(Deadline.after(10.0))).keys() == {"one"}


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n",),
        (OK + b"\r\n", b" " * 256_001),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n{",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (),
    ],
)
def test_what_is_no_key_set_s_answer_is_refused(parts):
    with answering(*parts) as url, pytest.raises((ValueError, OSError)):
        key_server(url)(Deadline.after(10.0))


def test_a_key_server_that_goes_silent_is_left_at_the_deadline():
    until = Deadline.after(0.3)
    with answering(OK, b"X-Slow: 1\r\n", b"") as url, pytest.raises(TimeoutError):
        key_server(url)(until)


def test_a_key_server_that_is_not_there_leaves_no_keys():
    keys = IssuerKeys(key_server("http://127.0.0.1:9/keys"), FakeClock())
    with pytest.raises(KeysUnavailable):
        keys.find("one")
