import pytest

from engine.building.artefact.container import open_container, write_container
from engine.model.table import Damaged

SECTIONS = {"one": b"1", "empty": b"", "many": bytes(range(256)) * 9}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "made" / "a.plan"
    size = write_container(str(file), {"about": {"name": "美砂樹"}}, SECTIONS)
    assert file.stat().st_size == size
    return file


def test_sections_come_back_as_they_were(path):
    container = open_container(str(path))
    assert container.about["about"] == {"name": "美砂樹"}
    assert {name: bytes(data) for name, data in container.sections.items()} == SECTIONS


def test_nothing_but_the_file_is_left_of_writing(path):
    assert list(path.parent.iterdir()) == [path]


def test_a_file_in_use_may_be_replaced(path):
    before = open_container(str(path))
    write_container(str(path), {}, {"one": b"other"})
    assert bytes(before.sections["one"]) == b"1"
    assert bytes(open_container(str(path)).sections["one"]) == b"other"


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "a.plan").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_container(str(tmp_path / "a.plan"), {}, SECTIONS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.plan"]


@pytest.mark.parametrize("content", [b"", b"misaki plan\n", b"%PDF-1.7" * 9, b"misaki plan\nzzzzzzzz zzzzzzzz\n{}"])
def test_another_file_is_damaged(tmp_path, content):
    file = tmp_path / "a.plan"
    file.write_bytes(content)
    with pytest.raises(Damaged):
        open_container(str(file))


def test_a_file_that_is_cut_short_is_damaged(path):
    data = path.read_bytes()
    for length in (*range(120), len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(Damaged):
            open_container(str(path))


def test_a_changed_header_is_damaged(path):
    data = path.read_bytes()
    header = int(data[12:20], 16)
    # Any white space may end the first line.
    for place in {*range(30 + header)} - {29}:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(Damaged):
            open_container(str(path))
