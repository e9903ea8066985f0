import pytest

from engine.matching.regexes import compile_pattern, regex_problem


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("(?=a)b", "lookaround"),
        ("(?<!a)b", "lookaround"),
        (r"(a)\1", "a backreference"),
        ("(?P<x>a)(?P=x)", "a backreference"),
        ("a++", "a possessive or atomic group"),
        ("(?>a)", "a possessive or atomic group"),
        ("(a", "missing"),
        ("a*", "matches the empty text"),
    ],
)
def test_a_problem_is_named(pattern, named):
    assert named in (regex_problem(pattern) or "")


@pytest.mark.parametrize("pattern", ["今(何時|なんじ)", "^vpn", "[ァ-ヶ]+"])
def test_a_good_pattern_has_none(pattern):
    assert regex_problem(pattern) is None


def test_case_does_not_count():
    assert compile_pattern("VPN").search("vpnが") is not None


def test_a_bad_pattern_is_an_error_with_the_same_words():
    with pytest.raises(ValueError, match="lookaround is not supported"):
        compile_pattern("(?=a)")


def test_what_takes_others_forever_is_answered():
    assert compile_pattern("(a+)+$").search("a" * 5000 + "b") is None
