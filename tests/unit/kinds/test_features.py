from __future__ import annotations

from collections import Counter

from engine.kinds.features import LONGEST, features, runs, shown


def test_runs_are_of_one_to_three_characters_with_both_ends_marked():
    assert Counter(runs("はい")) == Counter(
        ["\x02", "は", "い", "\x03", "\x02は", "はい", "い\x03", "\x02はい", "はい\x03"]
    )


def test_words_count_by_their_dictionary_form_alone_and_in_pairs():
    once, twice = set(features("死にたい")), set(features("死んでしまいたかった"))
    words = {shown(feature) for feature in once & twice if "\x01" in feature}
    assert {"死ぬ", "たい"} <= words
    assert "死ぬ たい" in {shown(feature) for feature in once}


def test_what_is_only_written_otherwise_is_the_same():
    assert Counter(features("ＯＫーーー！！！")) == Counter(features("okー!!!"))


def test_english_words_count_by_their_stem():
    assert {"clos", "clos ?"} <= {shown(feature) for feature in features("Closing?") if "\x01" in feature}


def test_a_long_text_costs_no_more_than_its_beginning():
    assert len(features("あ い" * 10_000)) < 8 * LONGEST


def test_an_empty_text_has_its_ends_alone():
    assert [shown(feature) for feature in features("")] == ["「^」", "「$」", "「^$」", "^ $"]
