import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conversations import codec
from engine.conversations.codec import HISTORY_MESSAGES, MAX_BYTES, MESSAGE_CHARACTERS
from engine.conversations.items import Item, Key
from engine.conversations.layout import room_of
from engine.conversations.records import StoredTurn
from engine.core.errors import StoreFailed
from engine.core.events import Escalation, Outcome
from engine.core.rooms import Learned, NewTurn, Visits
from engine.core.turn import Completion, Message, Talk

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
outcomes = st.builds(
    Outcome,
    reply=text,
    engine=st.sampled_from(["canned", "local", "external", "fallback"]),
    step=text,
    reply_id=st.none() | text,
    variant=st.none() | st.integers(0, 99),
    score=st.none() | st.floats(0, 100),
    escalations=st.lists(st.builds(Escalation, step=text, reason=text, model=st.none() | text), max_size=3).map(tuple),
)


def new_turn(words="やあ", reply="あら。", **more):
    return NewTurn(text=words, outcome=Outcome(reply=reply), latency_ms=1.0, number=1, **more)


@given(outcomes, text, st.floats(0, 1e5), st.none() | st.floats(0, 1))
def test_a_turn_comes_back_as_it_was(outcome, words, latency, confidence):
    if confidence is not None:
        completion = Completion(text=outcome.reply, finish_reason="stop", model="m", confidence=confidence)
        outcome = Outcome(reply=outcome.reply, completion=completion)
    new = NewTurn(text=words, outcome=outcome, latency_ms=latency, number=1)
    stored = codec.read_turn(3, codec.turn_text(new, 17.5, first=False))
    assert stored == StoredTurn(number=3, at=17.5, text=words, outcome=outcome, latency_ms=latency)


def all_said(said):
    found = codec.Said({})
    for reply, variants in said.items():
        for variant in variants:
            found = found.also(reply, variant)
    return found


@given(
    st.dictionaries(text, st.lists(st.integers(0, 99), min_size=1, max_size=5).map(tuple), max_size=5),
    st.none() | st.builds(Talk, reply_id=st.none() | text, topic_turn=st.integers(0, 99)),
)
def test_what_was_said_comes_back(said, talk):
    assert codec.read_said(codec.said_text(all_said(said), talk)) == (said, talk)


def test_what_was_said_the_longest_ago_makes_room():
    said = {f"{'あ' * 200}{number}": tuple(range(60)) for number in range(600)}
    kept, _ = codec.read_said(codec.said_text(all_said(said), Talk()))
    assert len(codec.said_text(all_said(said), Talk()).encode()) <= MAX_BYTES
    assert list(kept) == list(said)[-len(kept) :]
    assert kept[list(said)[-1]] == tuple(range(44, 60))


def test_what_an_earlier_version_kept_of_replies_is_read():
    said, talk = codec.read_said('{"said": {"hello": [0, 1], "bye": "01"}, "talk": {"reply_id": "bye"}}')
    assert (dict(said), talk) == ({"hello": (0, 1), "bye": (0, 1)}, Talk(reply_id="bye"))


def test_of_what_a_later_version_keeps_the_known_part_is_read():
    _, talk = codec.read_said('{"said": {}, "talk": {"offered": "梅酒", "mood": 3}}')
    assert talk == Talk(offered="梅酒")


def test_a_turn_sees_the_newest_messages_only():
    before = tuple(Message("user", "あ" * 5_000) for _ in range(30))
    first = codec.turn_text(new_turn(before=before), 1.0, first=True)
    assert len(first.encode()) <= MAX_BYTES + 1_000
    messages = codec.read_messages([first, *(codec.turn_text(new_turn(), 1.0, first=False) for _ in range(8))])
    assert len(messages) == HISTORY_MESSAGES
    assert [message.text for message in messages[-2:]] == ["やあ", "あら。"]
    assert len(messages[0].text) == MESSAGE_CHARACTERS
    assert "before" not in codec.turn_text(new_turn(before=before), 1.0, first=False)


def test_a_surrogate_does_not_break_the_store():
    stored = codec.turn_text(new_turn("\ud800", "\udfff"), 1.0, first=False)
    assert stored.encode()
    assert [message.text for message in codec.read_messages([stored])] == ["?", "?"]


def test_small_things_come_back():
    visits, learned = Visits(number=4, away=21.25, seen=1e9), Learned("雪", 17.5)
    assert codec.read_visits(codec.visits_text(visits)) == visits
    assert codec.read_learned(codec.learned_text(learned)) == learned


READERS = (
    lambda stored: codec.read_turn(1, stored),
    lambda stored: codec.read_messages([stored]),
    lambda stored: codec.read_said(stored or "x"),
    codec.read_visits,
    codec.read_learned,
)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{}",
        "[]",
        "null",
        "5",
        "[" * 100_000,
        '{"said": {}, "talk": {"offered": 5}}',
        '{"said": {"greet": ["飲み過ぎ"]}}',
        '{"said": {"greet": 5}}',
        '{"said": {"飲\\ud8ff": [1]}}',
        '{"said": {}, "talk": {"topic": "飲\\uDFFF"}}',
        '{"number": "飲み過ぎ", "away": null, "seen": 1}',
        '{"number": -1, "away": null, "seen": 1}',
        '{"number": 18446744073709551616, "away": null, "seen": 1}',
        '{"value": 5, "at": 1}',
        '{"value": "飲\\ud800", "at": 1}',
        '{"at": 1, "ms": 1, "text": "飲", "answer": {"reply": 5}}',
        '{"at": 1, "ms": 1, "text": 5, "answer": {"reply": "飲"}}',
        '{"at": 1, "ms": 1, "text": "飲", "answer": "飲み過ぎ"}',
        '{"at": [], "ms": 1, "text": "飲", "answer": {"reply": 7}}',
        '{"x": "' + "飲" * 500_000 + '"}',
    ],
    ids=lambda stored: stored[:40],
)
def test_what_is_of_another_form_is_refused_without_a_word_of_it(read, stored):
    with pytest.raises(StoreFailed, match="of another form") as refused:
        read(stored)
    assert "飲" not in str(refused.value)


@pytest.mark.parametrize("moment", ["1e400", "1e18", "-1", "NaN", "1" + "0" * 400, '"1"', "null", "[]"])
@pytest.mark.parametrize(
    ("read", "stored"),
    [
        (lambda stored: codec.read_turn(1, stored), '{"at": %s, "ms": 1, "text": "x", "answer": {"reply": "y"}}'),
        (codec.read_visits, '{"number": 1, "away": null, "seen": %s}'),
        (codec.read_learned, '{"value": "x", "at": %s}'),
        (lambda stored: room_of(stored_room(stored)), '{"seq": 1, "turns": 1, "created": %s}'),
    ],
)
def test_a_time_that_no_calendar_has_is_of_another_form(read, stored, moment):
    assert read(stored % "1e9")
    with pytest.raises(StoreFailed, match="of another form"):
        read(stored % moment)


def stored_room(data):
    return Item(key=Key("A#room", "R#room"), data=data, expires=2**40)


def test_what_somebody_else_stored_is_cut_to_what_is_kept():
    data = json.dumps(
        {"before": [["user", "あ" * 9_000]] * 25, "text": "い" * 9_000, "answer": {"reply": "う"}}, ensure_ascii=False
    )
    messages = codec.read_messages([data])
    assert (len(messages), {len(message.text) for message in messages[:-1]}) == (HISTORY_MESSAGES, {4_000})
