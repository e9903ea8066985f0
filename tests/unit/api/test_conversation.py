"""What of a conversation reaches a turn, where an example event would be too long or would not tell it."""

import pytest

from engine.api.body import BODY_LIMIT
from engine.api.conversation import HISTORY_CHARACTERS, HISTORY_ENTRIES, TEXT_LIMIT, read_conversation
from engine.api.errors import RequestError, kind
from engine.core.turn import Message


def refused(payload):
    with pytest.raises(RequestError) as caught:
        read_conversation(payload)
    return caught.value.code, str(caught.value)


def talk(*texts):
    return {"conversation": [*texts, "user: last"]}


def test_the_newest_entries_are_the_history():
    _, history = read_conversation(talk(*map(str, range(HISTORY_ENTRIES + 5))))
    assert [message.text for message in history] == [str(number) for number in range(5, HISTORY_ENTRIES + 5)]


def test_the_history_has_room_for_so_many_characters():
    fit = HISTORY_CHARACTERS // TEXT_LIMIT
    long = [str(number) * TEXT_LIMIT for number in range(fit)]
    assert [message.text for message in read_conversation(talk("first", *long))[1]] == long
    _, history = read_conversation(talk(*long, "x"))
    assert [message.text for message in history] == [*long[1:], "x"]


def test_an_entry_of_the_history_is_cut_and_an_empty_one_left_out():
    _, history = read_conversation(talk("x" * (TEXT_LIMIT + 1), " "))
    assert history == (Message("user", "x" * TEXT_LIMIT),)


@pytest.mark.parametrize("field", ["input", "message", "conversation"])
def test_what_is_far_too_long_is_refused_before_it_is_cleaned(field):
    assert refused({field: " " * (BODY_LIMIT + 1)}) == (
        f"{field}_too_long",
        f"`{field}` is longer than {TEXT_LIMIT} characters",
    )
    assert refused({field: " " * BODY_LIMIT})[0] == f"{field}_empty"


def test_roles_are_read_as_people_write_them():
    said = [{"role": " Assistant ", "content": "あら"}, {"role": "USER", "content": "やあ"}]
    assert read_conversation({"messages": said}) == ("やあ", (Message("assistant", "あら"),))


def test_parts_of_a_message_are_its_lines():
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert read_conversation({"messages": [{"role": "user", "content": parts}]})[0] == "one\ntwo"
    code, words = refused({"messages": [{"role": "user", "content": [{"type": "image"}]}]})
    assert code == "messages_content"
    assert "holds no text" in words


@pytest.mark.parametrize("kind_of_item", ["function_call", "function_call_output", "reasoning", "item_reference"])
def test_an_item_without_a_role_is_left_out_wherever_it_stands(kind_of_item):
    item, said = {"type": kind_of_item, "output": "x"}, {"role": "user", "content": "やあ"}
    assert read_conversation({"messages": [item, said, item]}) == ("やあ", ())
    assert refused({"messages": [said, {"type": "message", "content": "x"}]})[0] == "messages_role"


def test_blank_lines_before_the_first_speaker_are_nobodys():
    assert read_conversation({"conversation": "\n \nuser: やあ"}) == ("やあ", ())
    assert refused({"conversation": "\n \nassistant: あら"})[0] == "conversation_no_user"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"conversation": [7]}, "`conversation[0]` must be a string or an object, found a number"),
        ({"messages": ["x"]}, "`messages[0]` must be an object, found a string"),
        ({"conversation": 7}, "`conversation` must be a string or a list, found a number"),
        ({"messages": "x"}, "`messages` must be a list, found a string"),
        ({"input": []}, "`input` must be a string, found a list"),
    ],
)
def test_a_refusal_says_what_was_expected_and_found(payload, words):
    assert refused(payload)[1] == words


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (0.5, "a number"),
        ("", "a string"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_kinds_have_their_names_in_json(value, name):
    assert kind(value) == name
