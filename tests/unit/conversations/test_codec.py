import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conversations.codec import HISTORY_MESSAGES, MAX_BYTES, MESSAGE_CHARACTERS, decode, encode
from engine.core.ports import SessionState
from engine.core.turn import Message, Talk

messages = st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=50))
states = st.builds(
    SessionState,
    st.integers(0, 10**6),
    st.lists(messages, max_size=HISTORY_MESSAGES).map(tuple),
    st.dictionaries(st.text(max_size=10), st.lists(st.integers(0, 99), max_size=5).map(tuple), max_size=5),
    st.none() | st.builds(Talk, reply_id=st.none() | st.text(max_size=9), topic_turn=st.integers(0, 99)),
)


@given(states)
def test_what_was_kept_comes_back(state):
    assert decode(encode(state)) == state


def test_what_an_earlier_version_kept_still_loads():
    state = decode('{"turns": 3, "history": [["user", "やあ"], ["assistant", "あら"]], "last_said": {"hello": 2}}')
    assert (state.turns, state.said, state.talk) == (3, {"hello": (2,)}, None)


def test_of_what_a_later_version_keeps_the_known_part_is_read():
    state = decode('{"turns": 1, "history": [], "said": {}, "talk": {"offered": "梅酒", "mood": 3}}')
    assert state.talk == Talk(offered="梅酒")


def test_only_the_newest_messages_are_kept():
    history = tuple(Message("user", str(number)) for number in range(100))
    kept = decode(encode(SessionState(100, history))).history
    assert [message.text for message in kept] == [str(number) for number in range(80, 100)]


def test_the_oldest_make_room_where_the_bytes_would_not_fit():
    history = tuple(Message("assistant", "あ" * 5_000) for _ in range(20))
    text = encode(SessionState(20, history))
    assert len(text.encode()) <= MAX_BYTES
    kept = decode(text).history
    assert 1 < len(kept) < 20
    assert {len(message.text) for message in kept} == {MESSAGE_CHARACTERS}


def test_a_surrogate_does_not_break_the_store():
    text = encode(SessionState(1, (Message("user", "\ud800"),)))
    assert decode(text.encode().decode()).history == (Message("user", "?"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"turns": 1, "history": [], "said": {}, "talk": {"offered": 5}}',
        '{"turns": "x", "history": [], "last_said": {}}',
        '{"turns": 1e999, "history": [], "last_said": {}}',
        '{"turns": 1, "history": [1], "last_said": {}}',
        '{"turns": 1, "history": [["user", 5]], "last_said": {}}',
        "[" * 100_000,
        '{"turns": ' + "9" * 5000 + ', "history": [], "said": {}}',
        '{"turns": 18446744073709551616, "history": [], "said": {}}',
        '{"turns": -1, "history": [], "said": {}}',
        '{"turns": "飲み過ぎ", "history": [], "said": {}}',
        '{"turns": 1, "history": "飲み過ぎ", "said": {}}',
        '{"turns": 1, "history": {"飲み過ぎ": 1}, "said": {}}',
        '{"turns": 1, "history": [], "said": {"greet": ["飲み過ぎ"]}}',
        '{"turns": 1, "history": [], "said": {"greet": 5}}',
        '{"turns": 1, "history": [], "said": {}, "talk": {"topic_turn": 1e400}}',
        '{"turns": 1, "history": [], "said": {}, "x": "' + "飲" * 300_000 + '"}',
        '{"turns": 1, "history": [["user", "飲\ud800"]], "said": {}}',
        '{"turns": 1, "history": [["user", "飲\\ud800"]], "said": {}}',
        '{"turns": 1, "history": [], "said": {}, "talk": {"topic": "飲\\uDFFF"}}',
        '{"turns": 1, "history": [], "said": {"飲\\ud8ff": [1]}}',
    ],
)
def test_a_state_of_another_form_is_refused_without_a_word_of_it(text):
    with pytest.raises(ValueError, match="of another form") as refused:
        decode(text)
    assert "飲" not in str(refused.value)


def test_what_somebody_else_stored_is_cut_to_what_is_kept():
    stored = {"turns": 1, "history": [["user", "あ" * 9_000]] * 25, "said": {}}
    history = decode(json.dumps(stored, ensure_ascii=False)).history
    assert (len(history), {len(message.text) for message in history}) == (HISTORY_MESSAGES, {4_000})
