import pytest

from engine.golden.files import overwrite


def test_a_file_becomes_the_new_one_with_its_rights_and_through_its_links(tmp_path):
    file, link = tmp_path / "a.yml", tmp_path / "link.yml"
    file.write_text("old", "utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    overwrite(link, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yml", "link.yml"]


def test_a_file_that_was_not_there_is_made(tmp_path):
    overwrite(tmp_path / "a.yml", b"new")
    assert (tmp_path / "a.yml").read_bytes() == b"new"


def test_a_failure_names_the_file_and_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(OSError, match=r"a\.yml") as raised:
        overwrite(tmp_path / "a.yml", b"new")
    assert raised.value.filename == str(tmp_path / "a.yml")
    assert [path.name for path in tmp_path.iterdir()] == ["a.yml"]
