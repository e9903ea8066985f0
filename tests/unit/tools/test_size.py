"""What the figures of a package count."""

from __future__ import annotations

from tools.size import measure

SMALL = '''
def _once(value):
    """A helper."""
    return value + 1


def _twice(value):
    return value + 2


def _long(value):
    value += 1
    value += 2
    value += 3
    return value


total = _once(1) + _twice(1) + _twice(2) + _long(1)  # noqa: ERA001
'''


def test_figures_of_a_package(tmp_path):
    for folder in ("a", "b", "c"):
        (tmp_path / "house" / folder).mkdir(parents=True)
        (tmp_path / "house" / folder / "__init__.py").touch()
        (tmp_path / "house" / folder / "room.py").write_text("x = 1\n" * 41)
    (tmp_path / "house" / "small.py").write_text(SMALL)
    package = measure("house", tmp_path / "house")
    assert package.helpers == ["house/small.py:2 _once"]
    assert package.small_modules == [f"house/{one}" for one in ("a/__init__.py", "b/__init__.py", "c/__init__.py")] + [
        "house/small.py"
    ]
    assert package.ignored == ["house/small.py 1"]
    assert package.common_names == ["room.py 3"]
    assert package.figures() == ["house", "141", "7", "18/41/41", "4", "1 (7.1)", "1 (7.1)", "1"]
