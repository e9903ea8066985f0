from collections import Counter

from engine.core.turn import Message
from engine.steps.speak import choose, preferred
from tests.fakes.plans import reply, turn

THREE = reply("greet", "一", "二", ("三", 2.0))


def chosen(**more):
    return choose(THREE, turn("やあ", **more))


def test_the_same_turn_always_gets_the_same_variant():
    assert {chosen(seed="x", number=4) for _ in range(20)} == {chosen(seed="x", number=4)}


def test_all_variants_are_said_in_proportion_to_their_weights():
    said = Counter(chosen(seed=str(number)) for number in range(4000))
    assert set(said) == {0, 1, 2}
    assert 0.45 < said[2] / 4000 < 0.55
    assert 0.20 < said[0] / 4000 < 0.30


def test_the_last_one_said_in_the_session_is_not_repeated():
    assert all(chosen(seed=str(number), said={"greet": (2,)}) != 2 for number in range(200))


def test_without_a_session_the_history_tells_what_was_said_last():
    history = (Message("assistant", "三"), Message("user", "やあ"), Message("assistant", "一"), Message("user", "ねえ"))
    assert all(chosen(seed=str(number), history=history) != 0 for number in range(200))


def test_a_single_variant_is_repeated_for_want_of_another():
    assert choose(reply("one", "これだけ"), turn("やあ", said={"one": (0,)})) == 0


def test_a_variant_that_no_longer_exists_was_said_last():
    assert choose(THREE, turn("やあ", said={"greet": (9,)})) in {0, 1, 2}


def test_none_is_said_again_before_all_were_said():
    for seed in range(50):
        said: tuple[int, ...] = ()
        for number in range(1, 7):
            said += (chosen(seed=str(seed), number=number, said={"greet": said}),)
        assert sorted(said[:3]) == sorted(said[3:]) == [0, 1, 2]
        assert said[2] != said[3]


def test_of_several_replies_all_variants_take_part():
    one, other = reply("one", "一", "二"), reply("other", ("三", 6.0))
    first = Counter(next(preferred((one, other), turn("やあ", seed=str(n))))[0].id for n in range(2000))
    assert 0.7 < first["other"] / 2000 < 0.8
    assert {text for text, _ in order((one, other), "x")} == {"一", "二", "三"}


def order(replies, seed):
    return [(one.say[place].text.source, one.id) for one, place in preferred(replies, turn("やあ", seed=seed))]
