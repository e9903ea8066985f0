from __future__ import annotations

import argparse

import pytest

from engine.cli.output import output_file, write_output


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "is a folder: name a file"), ("file.txt/deep/a.html", "file.txt` is no folder")],
)
def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path, name, told):
    (tmp_path / "file.txt").touch()
    with pytest.raises(argparse.ArgumentTypeError, match=told):
        output_file(str(tmp_path / name))


def test_folders_that_are_missing_are_made(tmp_path):
    path = output_file(str(tmp_path / "reports" / "junit.xml"))
    assert not path.parent.exists()
    write_output(path, "<あ file='\udcff'/>")
    assert path.read_text("utf-8") == "<あ file='\\udcff'/>"
