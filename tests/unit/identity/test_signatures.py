"""RSA signatures whose padding or number is not exactly the one of PKCS #1, version 1.5 (RFC 8017, 8.2 and 9.2).

Lenient readers of the padding have let forged signatures pass, first shown by Bleichenbacher in 2006. Each case here
is made with the private key itself, so that nothing but the form is wrong with it.
"""

from hashlib import sha256

import pytest
from jwt.utils import base64url_encode

from tests.unit.identity.test_openid import CLAIMS, PRIVATE, code_of, token, verifier

SIZE = 256
NUMBERS = PRIVATE.private_numbers()
N, D = NUMBERS.public_numbers.n, NUMBERS.d
SIGNED = token().rpartition(".")[0]
DIGEST = sha256(SIGNED.encode()).digest()
SHA256 = "608648016503040201"
SHA1, SHA512 = "2b0e03021a", "608648016503040203"


def tlv(tag: int, value: bytes, length: bytes | None = None) -> bytes:
    return bytes([tag]) + (bytes([len(value)]) if length is None else length) + value


def algorithm(identifier: str = SHA256, parameters: bytes = b"\x05\x00") -> bytes:
    return tlv(0x30, tlv(0x06, bytes.fromhex(identifier)) + parameters)


def info(algorithm: bytes = algorithm(), digest: bytes = tlv(0x04, DIGEST), length: bytes | None = None) -> bytes:
    """A digest with its algorithm in DER, or with a length that is written otherwise."""
    return tlv(0x30, algorithm + digest, length)


def padded(content: bytes, head: bytes = b"\x00\x01", fill: bytes = b"\xff", after: bytes = b"") -> bytes:
    room = SIZE - len(head) - 1 - len(content) - len(after)
    return head + fill * (room // len(fill)) + b"\x00" + content + after


def signed_by(number: int, size: int = SIZE) -> str:
    return f"{SIGNED}.{base64url_encode(number.to_bytes(size, 'big')).decode()}"


def raised(message: bytes) -> int:
    assert len(message) == SIZE
    return pow(int.from_bytes(message, "big"), D, N)


RIGHT = raised(padded(info()))


def test_the_form_of_the_standard_is_taken():
    assert signed_by(RIGHT) == token(CLAIMS)
    assert verifier().verify(signed_by(RIGHT)).kind == "user"


@pytest.mark.parametrize(
    "message",
    [
        padded(DIGEST),
        padded(tlv(0x04, DIGEST)),
        padded(info(algorithm(parameters=b""))),
        padded(info(algorithm(parameters=b"\x05\x81\x00"))),
        padded(info(algorithm(parameters=b"\x30\x00"))),
        padded(info(algorithm(parameters=b"\x05\x00\x05\x00"))),
        padded(info(algorithm(SHA1))),
        padded(info(algorithm(SHA512))),
        padded(info(algorithm(SHA256 + "00"))),
        padded(info(length=b"\x81\x31")),
        padded(info(length=b"\x82\x00\x31")),
        padded(info(length=b"\x30")),
        padded(info(length=b"\x32")),
        padded(info(length=b"\x80")),
        padded(info(length=b"\x80") + b"\x00\x00"),
        padded(info(length=b"\x85\x01\x00\x00\x00\x31")),
        padded(info(digest=tlv(0x04, DIGEST, b"\x81\x20"))),
        padded(info(digest=tlv(0x04, DIGEST[:-1]))),
        padded(info(digest=tlv(0x04, DIGEST + b"\x00"))),
        padded(info(digest=tlv(0x03, b"\x00" + DIGEST))),
        padded(info(digest=tlv(0x24, tlv(0x04, DIGEST)))),
        padded(info(digest=tlv(0x04, DIGEST) + b"\x05\x00")),
        padded(info() + b"\x00\x00"),
        padded(info(), after=b"\x00" * 8),
        padded(info(), after=b"\x05\x00"),
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + info() + b"\x00" * (SIZE - 11 - len(info())),
        b"\x00\x01\x00" + info() + b"\x00" * (SIZE - 3 - len(info())),
        padded(info(), head=b"\x00\x02"),
        padded(info(), head=b"\x00\x00"),
        padded(info(), fill=b"\x00"),
        padded(info(), fill=b"\xfe"),
        padded(info(), head=b"\x00\x01\x7f"),
        padded(b"\x00" + info()),
        padded(info())[:-1] + bytes([DIGEST[-1] ^ 1]),
    ],
    ids=lambda message: message.hex()[:8] + "…" + message.lstrip(b"\x00\x01\x02\xff\xfe").hex()[:44],
)
def test_any_other_form_is_refused(message):
    assert code_of(signed_by(raised(message))) == "token_invalid_signature"


@pytest.mark.parametrize("number", [0, 1, 2, N - 1, N, N + 1, N - RIGHT, 2 ** (8 * SIZE) - 1])
def test_a_number_without_a_private_key_is_no_signature(number):
    assert code_of(signed_by(number)) == "token_invalid_signature"


@pytest.mark.parametrize(
    ("number", "size"),
    [(RIGHT, SIZE + 1), (RIGHT << 8, SIZE + 1), (RIGHT + N, SIZE + 1), (RIGHT >> 8, SIZE - 1), (RIGHT, 2 * SIZE)],
    ids=["zero before", "zero behind", "one modulus more", "cut off", "twice as long"],
)
def test_a_signature_of_another_length_is_none(number, size):
    assert code_of(signed_by(number, size)) == "token_invalid_signature"
