from engine.api.chat import ATTRIBUTE_CHARACTERS, ATTRIBUTE_LIMIT, read_chat


def user(**metadata):
    return read_chat({"input": "やあ", "metadata": metadata}).request.client


def test_the_first_attributes_count():
    many = {f"a{number}": number for number in range(ATTRIBUTE_LIMIT + 3)}
    assert user(**many) == {f"a{number}": number for number in range(ATTRIBUTE_LIMIT)}


def test_what_is_no_attribute_takes_no_place():
    others = {"session_id": "s", "with space": 1, "nested": {}, "nothing": None, "x" * 65: 1}
    assert user(**others, name="太郎") == {"name": "太郎"}


def test_long_texts_are_cut():
    assert user(name="x" * (ATTRIBUTE_CHARACTERS + 1)) == {"name": "x" * ATTRIBUTE_CHARACTERS}


def test_numbers_that_every_reader_of_json_agrees_on():
    most = 2**53
    numbers = {"most": most, "least": -most, "more": most + 1, "less": -most - 1, "half": 0.5, "endless": float("inf")}
    assert user(**numbers) == {"most": most, "least": -most, "half": 0.5}
