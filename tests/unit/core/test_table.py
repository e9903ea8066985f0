import pytest

from engine.core.table import Damaged, Decoded, Table, make_table


def test_pieces_come_back_as_they_were():
    pieces = [b"one", b"", "三".encode(), b"x" * 70_000]
    table = Table(memoryview(make_table(pieces)))
    assert len(table) == 4
    assert [bytes(table[place]) for place in range(4)] == pieces


def test_a_table_of_nothing():
    table = Table(memoryview(make_table([])))
    assert len(table) == 0
    with pytest.raises(IndexError):
        table[0]


@pytest.mark.parametrize("place", [-1, 3])
def test_there_is_nothing_outside(place):
    with pytest.raises(IndexError):
        Table(memoryview(make_table([b"a", b"b", b"c"])))[place]


def test_no_changed_byte_goes_unnoticed():
    made = make_table([b"first", b"second", b"third"])
    for place in range(len(made)):
        changed = bytearray(made)
        changed[place] ^= 0x10
        with pytest.raises(Damaged):
            [Table(memoryview(changed))[piece] for piece in range(3)]


def test_nothing_but_zeros_is_no_table():
    with pytest.raises(Damaged):
        Table(memoryview(bytes(64)))


def test_a_table_that_is_cut_short_is_damaged():
    made = make_table([b"first", b"second"])
    for length in range(len(made)):
        with pytest.raises(Damaged):
            Table(memoryview(made)[:length])[1]


def test_values_are_decoded_when_asked_for_and_kept_up_to_a_number():
    asked = []

    def decode(piece):
        asked.append(bytes(piece))
        return bytes(piece).decode()

    values = Decoded(Table(memoryview(make_table([b"a", b"b", b"c"]))), decode, most_kept=2)
    assert (len(values), asked) == (3, [])
    assert [values[1], values[1], values[0], values[2], values[-1]] == ["b", "b", "a", "c", "c"]
    assert asked[:3] == [b"b", b"a", b"c"]
    assert list(values) == values[:] == ["a", "b", "c"]
    assert values[1:] == ["b", "c"]
    with pytest.raises(IndexError):
        values[3]
