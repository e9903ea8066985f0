import pytest

from engine.matching.loanwords import abbreviated, skeleton
from engine.matching.normalise import hiragana, undrawn

PAIRS = (
    "printer プリンター, monitor モニター, mail メール, login ログイン, "
    "password パスワード, meeting ミーティング, server サーバー, taxi タクシー, "
    "coffee コーヒー, wifi ワイファイ, excel エクセル, hotel ホテル, "
    "cocktail カクテル, whisky ウイスキー, update アップデート, account アカウント, "
    "network ネットワーク, karaoke カラオケ, calendar カレンダー, security セキュリティ, "
    "bottle ボトル, order オーダー, computer コンピューター, number ナンバー, comment コメント"
)


@pytest.mark.parametrize(("english", "katakana"), [tuple(pair.split()) for pair in PAIRS.split(", ")])
def test_a_word_and_its_loanword_share_a_skeleton(english, katakana):
    assert skeleton(english) == skeleton(hiragana(undrawn(katakana)))


@pytest.mark.parametrize("word", ["vpn", "pc", "baby", "まま", "あ"])
def test_codes_and_words_of_one_consonant_stay(word):
    assert skeleton(word) == word


def test_m_and_n_are_not_the_same():
    assert skeleton("smoke") != skeleton(hiragana(undrawn("サンキュー")))


def test_a_shortened_word_begins_as_the_whole():
    assert abbreviated("りもわ") == abbreviated("りもとわく") == "rm"
