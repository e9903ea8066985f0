import pytest

from engine.text.regexes import Budget, PatternSet, compile_pattern, regex_problem


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
        ("a.{1,1000}b", "takes too much to run"),
        ("((a{1,100}){1,100}){1,100}", "takes too much to run"),
        ("|".join(f"a{number}.{{1,50}}b" for number in range(50)), "takes too much to run"),
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


def test_a_set_finds_what_each_of_its_patterns_finds():
    sources = ["今(何時|なんじ)", "^VPN", "[ァ-ヶ]+", "(が|は)$", "."]
    patterns, together = [compile_pattern(source) for source in sources], PatternSet(sources)
    for text in ["今何時", "vpnが", "のvpn", "カラオケは", "", "。\n"]:
        found = [place for place, pattern in enumerate(patterns) if pattern.search(text) is not None]
        assert sorted(together.found_in(text)) == found


def test_a_set_says_what_is_wrong_with_a_pattern():
    with pytest.raises(ValueError, match="lookaround is not supported"):
        PatternSet(["a", "(?=a)b"])


def test_case_counts_where_it_is_to():
    assert compile_pattern("VPN", ignore_case=False).search("vpn") is None


def test_large_patterns_are_few_and_small_ones_many():
    large, small, budget = compile_pattern("a1.{1,200}b"), compile_pattern("番号は3"), Budget()
    assert 50 <= sum(budget.add(large) for _ in range(3000)) < 100
    assert 5_000 < sum(budget.add(small) for _ in range(30_000)) < 30_000


def test_a_set_holds_what_the_budget_lets_in():
    sources = [f"a{number}.{{1,200}}b" for number in range(3000)]
    budget = Budget()
    fitting = [source for source in sources if budget.add(compile_pattern(source))]
    text = "".join(f"a{number}" for number in range(1000)) + "b"
    found = PatternSet(fitting).found_in(text)
    assert sorted(found) == [place for place, one in enumerate(fitting) if compile_pattern(one).search(text)]


def test_a_set_of_many_patterns_numbers_them_all():
    sources = [f"{place}番の(席|{'長い' * 10}机)は" for place in range(6000)]
    found = PatternSet(sources).found_in("5999番の席は、4321番の席は、7番の席は")
    assert sorted(found) == [
        place for place in range(6000) if str(place) in ("5999", "999", "99", "9", "4321", "321", "21", "1", "7")
    ]
