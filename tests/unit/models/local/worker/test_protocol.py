from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.local.worker.protocol import MAX_LINE, Decoder, ProtocolError, encode

MESSAGES = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))


@given(MESSAGES, st.lists(st.integers(1, 40)))
def test_messages_survive_any_cutting_of_the_bytes(messages, cuts):
    data = b"".join(encode(message) for message in messages)
    decoder, received = Decoder(), []
    for cut in cuts:
        received += decoder.feed(data[:cut])
        data = data[cut:]
    received += decoder.feed(data)
    assert received == messages


def test_a_lone_surrogate_passes():
    assert Decoder().feed(encode({"text": "\ud800"})) == [{"text": "\ud800"}]


@pytest.mark.parametrize("line", [b"llama_model_load\n", b"[1]\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ProtocolError):
        Decoder().feed(line)


def test_a_line_without_an_end_is_refused():
    decoder = Decoder()
    with pytest.raises(ProtocolError):
        decoder.feed(b"x" * (MAX_LINE + 1))
