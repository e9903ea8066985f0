import pytest

from engine.validation.checks.wordings import is_known


@pytest.mark.parametrize("text", ["消える", "取り消す", "値段", "二十歳", "ハイボール", "wifi", "消えちゃいたい"])
def test_words_of_the_dictionary(text):
    assert is_known(text)


@pytest.mark.parametrize("text", ["値叚", "噓㐂"])
def test_words_of_no_dictionary(text):
    assert not is_known(text)
