import os
import stat

import pytest

from engine.core.table import Damaged
from engine.pipeline.stored.container import open_container, write_container

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


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "bot.yml"
    file.write_text("name: bot\n")
    file.chmod(0o644)
    return file


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_what_others_may_change_is_not_used_unless_they_may_change_its_source_too(path, source, mode):
    path.chmod(mode)
    with pytest.raises(Damaged, match="somebody else may have written it"):
        open_container(str(path), str(source))
    source.chmod(mode)
    assert open_container(str(path), str(source)).sections


def test_what_is_written_can_be_changed_by_its_owner_alone(tmp_path):
    mask = os.umask(0)
    try:
        write_container(str(tmp_path / "a.plan"), {}, SECTIONS)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.plan").stat().st_mode) == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_another_user_planted_is_not_used_unless_the_source_is_theirs(path, source):
    os.chown(path, 54321, 54321)
    with pytest.raises(Damaged, match="somebody else may have written it"):
        open_container(str(path), str(source))
    os.chown(source, 54321, 54321)
    assert open_container(str(path), str(source)).sections


def test_a_pipe_is_not_waited_for(tmp_path, source):
    os.mkfifo(tmp_path / "a.plan")
    with pytest.raises((OSError, Damaged)):
        open_container(str(tmp_path / "a.plan"), str(source))
