from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.golden.run import MARGIN, NotFound, RememberingIndex, find_goldens, mentions
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger
from tests.fakes.golden import GOLDEN, project

WORDS = ("こんばんは", "こんばんわあ", "今晩は", "ビールください", "ビールをください", "good evening", "good morning")
INDEX = TriggerIndex.build(Trigger(kind="fuzzy", text=text, reply=place) for place, text in enumerate(WORDS))


@given(st.sampled_from(WORDS) | st.text("こんばわビール", max_size=8), st.integers(50, 100))
def test_what_it_gives_is_the_same(text, threshold):
    assert list(RememberingIndex(INDEX).candidates(text, threshold)) == list(INDEX.candidates(text, threshold))


@given(st.sampled_from(WORDS), st.integers(55, 100))
def test_near_ones_are_those_of_a_lower_threshold(text, threshold):
    expected = list(INDEX.candidates(text, threshold - MARGIN))
    index = RememberingIndex(INDEX)
    index.candidates(text, threshold)
    assert list(index.candidates(text, threshold - MARGIN)) == expected


def test_a_text_is_looked_up_once():
    asked = []

    class Counting:
        def candidates(self, text, threshold):
            asked.append((text, threshold))
            return INDEX.candidates(text, threshold)

    index = RememberingIndex(Counting())
    for _ in range(3):
        index.candidates("こんばんは", 80)
        index.candidates("こんばんは", 80 - MARGIN)
    assert asked == [("こんばんは", 75.0)]


def test_files_and_folders_each_once_and_in_order(tmp_path):
    golden = project(tmp_path)
    (tmp_path / "golden" / "a" / "deep").mkdir(parents=True)
    (tmp_path / "golden" / ".hidden").mkdir()
    for name in ("a/deep/x.golden.yml", ".hidden/x.golden.yml", "bar.cassette.yml", "notes.yml"):
        (tmp_path / "golden" / name).write_text(GOLDEN, encoding="utf-8")
    found = find_goldens([golden, tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "golden/bar.golden.yml",
        "golden/a/deep/x.golden.yml",
    ]


def test_without_paths_the_usual_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_goldens([]) == []
    project(tmp_path)
    assert [path.as_posix() for path in find_goldens([])] == ["golden/bar.golden.yml"]


@pytest.mark.parametrize("name", ["nowhere", "replies", "replies/bar.yml"])
def test_a_path_that_holds_none_is_named(tmp_path, name):
    project(tmp_path)
    with pytest.raises(NotFound, match=name):
        find_goldens([tmp_path / name])


def test_the_turns_in_which_a_text_is_said(tmp_path):
    golden = project(tmp_path)
    broken = golden.with_name("broken.golden.yml")
    broken.write_text("星の話をして: [", encoding="utf-8")
    golden.with_name("folder.golden.yml").mkdir()
    (mention,) = mentions("星の話をして", [tmp_path])
    assert (mention.conversation, mention.span.line) == ("夕方の挨拶", 11)
    assert mentions("星の話", [tmp_path]) == []
