"""Puts dialect, casual speech, numerals and hours into words that the dictionary knows best. Knows no triggers.

Data and one substitution: what stands here is grammar (how a region or a youngster says a copula, a negation, a
request) and the few set phrases of everyday talk. Texts are folded, their katakana and punctuation still in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

_FILLING = (
    "実は(?!違)|なんかさ?|なんだか|てか|ていうか|っていうか|というか|とりま|てかさ|もうさ|あの[さねう]?|えっと|ええと|えと|んと|うーんと"
    "|もしかし(?:たら|て)|もしかすると|ひょっとし(?:たら|て)|そういや|そういえば|ところで|ちなみにさ?|さてと|ねえ(?:ねえ)?|ねぇ|ほら|やっぱり?"
)
_NOT_IN_SLANG = (
    r"(?<=[かさたなばまらわがえきけせねべめれゃ])ね(?:え|ぇ|ー)(?=$|[^ぁ-ん]|[よべなわぞじけん])"
    r"(?<![ぁ-ん][かわ]ね[えぇー])(?<![なま]ね[えぇー])"
)
_SORRY = (
    "すみません|すいません|すんません|すまん(?!な?い)|恐れ入ります|失礼ですが|申し訳(?:ありません|ないです)が"
    "|悪いけど|悪いんだけど|ごめんだけど"
)

_PHRASES: tuple[tuple[str, str, str], ...] = (
    # Kansai
    ("な", r"なんぼ(?!でも)", "いくら"),
    ("ほ", r"(?<![ぁ-ん])ほ(?:な|んなら)(?:ら)?(?=$|[、。,]|[^ぁ-ん]|また|もう|ね)", "じゃあ、"),
    ("せ", r"(?<![ぁ-ん])せやから", "だから"),
    ("せ", r"(?<![ぁ-ん])せや(?:ろか|んな)", "そうかな"),
    ("せ", r"(?<![ぁ-ん])せや(?:ねん|でな?|な|ね|ろ|わ)?(?=$|[^ぁ-ん])", "そうだね"),
    ("え", r"(?<![ぁ-ん])ええ(?=[^\Wa-z0-9_ぁ-ヿ])(?!ええ(?:今|昨|明|先|本当|大丈夫|全|何|私|僕|俺))", "いい"),
    ("ほ", r"ほんま", "本当"),
    ("お", r"おおきに", "ありがとう"),
    ("あ", r"あかん(?!ぼ)", "だめだ"),
    ("え", r"(?<![ぁ-ん])ええ(?=(?:やん|なあ?|わ|よ|で|ね|か|んか|ん|と)(?:$|[^ぁ-ん]))", "いい"),
    ("お", r"おもろ(?=$|い|[^ぁ-ん]|か)", "おもしろ"),
    ("で", r"でけへん", "できない"),
    ("ま", r"(?<=飲)まれへん", "めない"),
    ("ひへ", r"(?<=[かさたなばまらわがえけせてねべめれき])[へひ]ん(?=$|[^ぁ-ん]|[かわねよでけのやなし])", "ない"),
    ("や", r"(?<=[んの])やけ(?:ど|ん)", "だけど"),
    ("や", r"やねん", "だよ"),
    ("や", r"やん(?:か|け|な)?(?!\w)", "じゃん"),
    ("や", r"(?<=\w)やろ(?:か|な)?(?!\w)", "だろう"),
    ("や", r"(?<=\w)(?<!い)や(?:で|ね|な)?(?!\w)(?<![そこあどは]や)", "だよ"),
    ("と", r"(?<=[うっ])とる", "てる"),
    ("言", r"言うた", "言った"),
    ("ほ", r"ほかし(?=と|て)", "捨て"),
    ("捨", r"捨て(?:とい|てとい)て", "捨てておいて"),
    ("べ", r"べっぴん(?:さん)?", "きれい"),
    ("ど", r"どない(?:した(?:ん|の)?)?(?=$|[^ぁ-ん]|や|し|な)", "どうした"),
    ("ち", r"(?<=好き|嫌い|そう|本当|無理)ちゃう(?!\w)", "じゃない"),
    ("ち", r"(?<![ぁ-ん一-龥])ちゃう(?=(?:で|よ|ねん|わ|な|やろ)?(?!\w))", "違う"),
    ("は", r"(?<![ぁ-ん])はよ(?=[^\Wa-z0-9_ぁ-ヿ]|$)", "早く"),
    ("て", r"て(?:も|し)(?:う|も)た", "てしまった"),
    ("な", r"(?<=ら)な(?:あかん|いかん)", "なきゃ"),
    ("あ", r"あらへん", "ない"),
    ("し", r"しゃあ?ない", "仕方ない"),
    ("と", r"(?<=[べ飲])とん(?!\w)", "てるの"),
    ("けこ来", r"(?:来う|けえ|こお)へん", "来ない"),
    ("ん", r"(?<=[かさたなばまらわがえけせてねべめれき])んといて", "ないで"),
    # Kyushu and the north
    ("か", r"(?<=[しもま])か(?=ばい|とよ)", "い"),
    ("好", r"好いと[うーっる]", "好き"),
    ("し", r"し(?:ょ|よ)(?:る|ー|う|ん)?と(?:か|や|ね)?(?!\w)", "してる"),
    ("し", r"しと[うー]?と[うー]?(?!\w)", "してるの"),
    ("と", r"(?<=[いきしちっんえけせてねべめれ])と[うー]?と(?!\w)", "てるの"),
    ("っ", r"っちゃ(?=けど|ね|よ|ん)", ""),
    ("とば", r"と?(?<![やっ])ばい(?!\w)", "よ"),
    ("と", r"(?<=[っしいえけせてねべめれ])と(?:う|ー)(?!\w)", "てる"),
    ("でな", r"でら|なまら", "とても"),
    ("美", r"美味しか(?!っ)", "美味しい"),
    ("うん", r"(?<![ぁ-ん])(?:う|ん)まか(?!っ)", "うまい"),
    ("よ", r"(?<![ぁ-ん])よか(?=$|[^ぁ-ん]|ね|よ|と|ろ)", "いい"),
    ("か", r"(?<=[寒暑高安近遠早速強弱重軽長短若古熱辛甘眠悪痛])か(?:ねえ|ねぇ|ねー|なあ)", "いね"),
    ("か", r"(?<=[寒暑高安近遠早速強弱重軽長短若古熱辛甘眠悪痛])か(?=$|[^ぁ-ん]|ね|よ|と|ば)", "い"),
    ("べ", r"(?<=[いるたうくすつむぬぐぶ])べか(?!\w)", "か"),
    ("だ", r"(?<=ん)だべ(?=\?)", "だろう"),
    ("だべ", r"(?<=\w)だ?べ(?:さ|や)?(?!\w)", "よ"),
    ("ど", r"どっから", "どこから"),
    ("い", r"いっぺ(?:え|ぇ|ー)", "いっぱい"),
    ("け", r"(?<=[だなのいたん])けんど(?:も)?(?!\w)", "けど"),
    ("し", r"しばれる", "寒い"),
    ("め", r"めんこい", "かわいい"),
    # Casual
    ("おじ", r"お?じ(?:い|ー|ぃ)(?=さん|ちゃん)", "祖父"),
    ("おば", r"お?ば(?:あ|ー|ぁ)(?=さん|ちゃん)", "祖母"),
    ("や", r"や[べば](?:え|ぇ|ー|っ)?(?=$|[^ぁ-んー])", "やばい"),
    ("す", r"すげ(?:え|ぇ|ー)?(?=$|[^ぁ-んー]|[よねなわ])", "すごい"),
    ("ね", r"ねみ(?:い|ぃ|ー)", "ねむい"),
    ("う", r"うめ(?:え|ぇ|ー)", "うまい"),
    ("う", r"うるせ(?:え|ぇ|ー)?", "うるさい"),
    ("ひ", r"ひで(?:え|ぇ|ー)", "ひどい"),
    ("だ", r"だり(?:い|ぃ|ー)", "だるい"),
    ("つ", r"つれ(?:え|ぇ|ー)(?=$|[^ぁ-ん]|[よなわ])", "つらい"),
    ("こ", r"こえ(?:え|ぇ|ー)(?=$|[^ぁ-ん]|[よなわ])", "怖い"),
    ("こ", r"(?<![ぁ-ん])こわっ", "怖い"),
    ("さ", r"さみ(?:い|ぃ|ー)(?=$|[^ぁ-んー]|[よなわ])", "寒い"),
    ("い", r"(?<=[食言買吸使歌])いて(?:え|ぇ|ー)", "いたい"),
    ("て", r"(?<=[きぎしちにびみり])て(?:え|ぇ|ー)(?!\w)", "たい"),
    ("い", r"(?<![ぁ-ん])いて(?:え|ぇ|ー)(?=$|[^ぁ-ん]|[よなわ])", "痛い"),
    ("ね", r"(?<=く)ね(?:え|ぇ|ー)", "ない"),
    ("ね", _NOT_IN_SLANG, "ない"),
    ("っ", r"(?<=[えけせてねべめれ])っか(?=$|[^ぁ-ん])", "るか"),
    ("あ", r"あざ(?:っす|ーす|す|まーす|ます)", "ありがとう"),
    ("お", r"(?<![ぁ-ん])おは(?:ー|ざす|よ)?(?=$|[^ぁ-ん])", "おはよう"),
    ("お", r"(?<![ぁ-ん])おひさ(?=$|[^ぁ-ん])", "久しぶり"),
    ("お", r"(?<![ぁ-ん])おつ(?:です|ー)?(?=$|[^ぁ-ん])", "お疲れ様"),
    ("り", r"(?<![ぁ-ん])りょ(?=$|[^ぁ-ん])", "了解"),
    ("あさサ", r"ありがとさん|あんがと|さんきゅー?|サンキュー?", "ありがとう"),
    ("ごめ", r"ごめんちゃい|めんご", "ごめん"),
    ("に", r"(?:について|に関して)(?=なん|です|だ|は|$|[、。])", ""),
    ("ち", r"ちょー?だい", "ちょうだい"),
    ("か", r"かもしんない", "かもしれない"),
    ("め", r"めんど(?:くせ[えー]|くさい|い)(?!\w)", "面倒くさい"),
    ("よ", r"(?<=\w)よろ(?!\w)", "お願い"),
    ("この", r"(?<=[よるたつくすうぬむぐぶ])(?:こと|の)(?:は|って)?可能(?:でしょうか|ですか|かな)", "いいですか"),
    ("っは可", r"(?:は|って)?可能(?:でしょうか|ですか)(?!\w)(?<!^可能ですか)(?<!^可能でしょうか)", "できますか"),
    ("お", r"おいくつ", "何歳"),
    ("教ごご", r"ご?教(?:示|授)(?=くださ|下さ|いただ|頂|願|お願)", "教えて"),
    ("いも頂", r"(?:いただけ|頂け|もらえ)(?:ます|る)と(?:幸い|嬉しい|助かり|ありがたい)(?:です|ます)?", "ください"),
    ("こ", r"(?:この|こない)(?:前|間|だ)(?=[^\Wの])", "最近"),
    ("お", r"お忙しいところ(?:恐縮ですが|恐れ入りますが|申し訳ありませんが|すみませんが?)?", "すみません。"),
    ("だ", r"だめだだ", "だめだ"),
    ("こ", r"このところ|ここんとこ|ここ最近|ここ数日", "最近"),
    ("申", r"申し訳(?:あり|ござい)ません(?:でした)?(?=$|[、。])|申し訳ない(?:です)?(?=$|[、。])", "すみません"),
    # Openers that run into the sentence
    ("あうえさそちってとなねひほもやん実", rf"(?<![ぁ-ん])(?:{_FILLING})(?=[^\W]|、)(?![はがをのも])", ""),
    ("じそで", r"(?<![ぁ-ん])(?:じゃあ?|それじゃあ?|では)(?=\w)(?!ない|なく)", ""),
    ("ごす失恐悪申", _SORRY, "すみません。"),
    ("でもよ可", r"(?:できれば|できたら|よければ|よかったら|もしよければ|可能であれば|可能なら)", ""),
)  # fmt: skip

_BEGINNING = {sign: [row[1:] for row in _PHRASES if sign in row[0]] for sign in "".join(row[0] for row in _PHRASES)}


def plain(folded: str) -> str:
    """The text as a newsreader would say it, as far as grammar goes: ほな帰るわ is じゃあ、帰るわ."""
    return english_hours(folded) if folded.isascii() else hours(numerals(_replaced(folded)))


def _replaced(text: str) -> str:
    """The text with its phrases in plain words: one pass, the first phrase of the table wins where several begin."""
    pieces: list[str] = []
    place = done = 0
    while place < len(text):
        found = _phrase(text[place]).match(text, place) if text[place] in _BEGINNING else None
        if found is None:
            place += 1
            continue
        pieces += text[done:place], _BEGINNING[text[place]][(found.lastindex or 1) - 1][1]
        place = done = found.end()
    return "".join(pieces) + text[done:] if pieces else text


@cache
def _phrase(sign: str) -> re.Pattern[str]:
    """The phrases that begin so, compiled when the first text with this sign comes."""
    return re.compile("|".join(f"({pattern})" for pattern, _ in _BEGINNING[sign]))


COUNTERS = "人名杯本個時分日月年階番号枚回度円歳才つ件泊席種品皿冊着足匹部室列割倍週秒台点箱缶瓶万千"
_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_ENOUGH = re.compile("(?<![〇一二三四五六七八九0-9])十分(?=$|[にだでな。、!?])(?!で着|で来|で終)")
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile(
    rf"(?<!第)(?!万)[〇零一二三四五六七八九十百千万]+(?=[{COUNTERS}]|時間)(?!日酔|番(?!目|線|テ|の席)|生|体|緒|気|度に|日中|人前|分な)"
)
_SPOKEN = {
    "ひとり": "1人", "ふたり": "2人", "一人": "1人", "二人": "2人", "ひとつ": "1つ", "ふたつ": "2つ", "みっつ": "3つ",
    "よっつ": "4つ", "はたち": "20歳", "いっぽん": "1本", "いっこ": "1個", "いっかい": "1回",
    "もういっぱい": "もう1杯", "もう一杯": "もう1杯", "もう一度": "もう1回", "もういちど": "もう1回", "一度": "1回",
}  # fmt: skip
_SPOKEN_PATTERN = re.compile("(?<![ぁ-ん])(?:" + "|".join(_SPOKEN) + r")(?!で食べ|で飲め|だ[^よね]|き?ゃ)")


def numerals(text: str) -> str:
    """Numbers in digits where a counter follows: 二十歳 is 20歳, ふたり is 2人, 一万円 is 10000円."""
    if text.isascii():
        return text
    text = _ENOUGH.sub("じゅうぶん", text)
    text = _SPOKEN_PATTERN.sub(lambda match: _SPOKEN[match[0]], text)
    text = re.sub(
        r"(\d+)(万|千)(?=円|人)", lambda match: str(int(match[1]) * (10_000 if match[2] == "万" else 1000)), text
    )
    return _NUMERAL.sub(lambda match: str(_value(match[0])), text)


def _value(numeral: str) -> int:
    if not set(numeral) & (_UNITS.keys() | {"万"}):
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total, part, digit = 0, 0, None
    for sign in numeral:
        if sign == "万":
            total, part, digit = total + ((part + (digit or 0)) or 1) * 10_000, 0, None
        elif sign in _UNITS:
            part, digit = part + _UNITS[sign] * (1 if digit is None else digit), None
        else:
            digit = _DIGITS[sign]
    return total + part + (digit or 0)


_HALF: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(\d時(?:間)?)半"), r"\g<1>30分"),
    (re.compile(r"半時間"), "30分"),
    (
        re.compile(r"(?:午後の?(\d|1[01])|(?:(?<!深)夜|夕方|晩)の?([5-9]|1[01]))(?=時(?!間))"),
        lambda match: str(int(match[1] or match[2]) + 12),
    ),
    (re.compile(r"午前の?(?=\d+時)"), ""),
    (re.compile(r"正午"), "12時"),
)


def hours(text: str) -> str:
    """Hours of the day by 24: 午後7時半 is 19時30分, and so is 19:30."""
    if ":" in text:
        text = re.sub(r"(?<![\d:])(\d{1,2}):(\d\d)(?![\d:])", _on_the_clock, text)
    if "時" not in text and "正午" not in text:
        return text
    for pattern, substitute in _HALF:
        text = pattern.sub(substitute, text)
    return text


def _on_the_clock(match: re.Match[str]) -> str:
    return f"{int(match[1])}時" if match[2] == "00" else f"{int(match[1])}時{int(match[2])}分"


_ENGLISH_HOUR = re.compile(r"(?<![\d:])(\d{1,2})(?::(\d\d))?(?: ?([ap])\.?m\b\.?|(?<=:\d\d)(?![\d:]))")
_SPANS = (
    (re.compile(r"\b(?:an|1|one) hour and a half\b"), "90 minutes"),
    (re.compile(r"\bhalf (?:an|a) hour\b|\ba half hour\b"), "30 minutes"),
    (re.compile(r"\ba quarter of an hour\b"), "15 minutes"),
)
_NOON = 12


def english_hours(text: str) -> str:
    """Hours of the day by 24, half hours in minutes: 3 pm is 15, and so is 15:00."""
    if "hour" in text:
        for pattern, substitute in _SPANS:
            text = pattern.sub(substitute, text)
    return _ENGLISH_HOUR.sub(_by_24, text) if ":" in text or "m" in text else text


def _by_24(match: re.Match[str]) -> str:
    hour = int(match[1])
    if match[3]:
        hour = hour % _NOON + (_NOON if match[3] == "p" else 0)
    return f"{hour}" if match[2] in (None, "00") else f"{hour} {int(match[2])}"
