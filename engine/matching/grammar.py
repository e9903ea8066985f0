"""The closed classes of Japanese and English that matching leans on: particles, auxiliaries, pronouns, numerals.

Data only. A word belongs here when its class could be printed in full in a grammar book; topics never do.
"""

from __future__ import annotations

NEGATIVE = "N"
REQUEST = "R"
DESIRE = "D"
EXCESS = "X"
ONBIN = "T"
"""Marks stand in a core for what an ending meant; texts are case-folded, so a capital is never a letter."""


def _tails() -> dict[str, str]:
    final = "よ ね な わ さ ぞ ぜ か の かな かしら っけ よね わね のよ のね もん じゃん け けど けれど けれども が し から ので のに って"
    final += " は を に も へ と で には では との のは のが けどね やで や やん ねん ばい っす っすか っすよ んや のや んよ なあ なぁ"
    copula = "です でした だ でしょう でしょうか でしょ だろう だろ なんです んです のです なのです なんだ んだ のだ なの なん である"
    copula += " ですか んですか じゃん だっけ でしたっけ らしいです だよ だね っしょ んですが ですが"
    polite = "ます ました ましょう ましょうか ますか"
    aspect = "てる でる ている でいる てます でます ています でいます てた でた ていた でいた てました でました ていました でいました"
    aspect += " とる どる とった ちゃった じゃった ちゃう じゃう ちゃって ちゃいました じゃいました"
    aspect += " てしまった でしまった てしまう てしまいました でしまいました てもた てます でます ておる てみたい"
    request = "ください 下さい くださいませ ちょうだい 頂戴 いただけますか いただけませんか いただけますでしょうか いただけませんでしょうか"
    request += " いただける いただきたい いただきたく 頂けますか 頂けませんか もらえますか もらえませんか もらえる もらえない もらっていい もらえないか"
    request += " くれますか くれませんか くれる くれない くれへん くれ お願いします お願いいたします お願い致します お願い おねがい おねがいします"
    request += " お願いできますか お願いできる なさい 頼む 頼みます たのむ よろしく もらいたい ほしい 欲しい"
    negative = "ない ません なかった ませんでした なくて へん まへん ひん んかった ねえ ず ずに ないです なく"
    light = "する します しました しよう しましょう してください したい と思います と思う と思って と思っています と思いまして"
    table: dict[str, str] = {}
    for words, mark in ((final, ""), (copula, ""), (polite, ""), (light, ""), (request, REQUEST), (negative, NEGATIVE)):
        table.update(dict.fromkeys(words.split(), mark))
    for word in aspect.split():
        table[word] = "て" if word[0] in "てとち" else "で"
    table |= {"たい": DESIRE, "たく": DESIRE, "たかった": DESIRE, "すぎ": EXCESS, "すぎる": EXCESS, "すぎた": EXCESS, "過ぎた": EXCESS}
    table |= {"過ぎ": EXCESS, "したい": DESIRE, "しない": NEGATIVE, "しません": NEGATIVE, "がほしい": REQUEST}
    return table


TAILS = _tails()
LONGEST_TAIL = max(map(len, TAILS))

TE = frozenset("って んで いて いで して て".split())
TA = frozenset("った んだ いた いだ した た かった".split())

PARTICLES = frozenset(
    "が を に の は も へ と で や には では とは への との にも でも から まで より って とか だけ しか がね はね のが のは ので なら".split()
)
LONGEST_PARTICLE = 2

FILLERS = frozenset(
    "えっと えと ええと あの あのう あのさ あのね ねえ ね ねえねえ ねね なんか ちょっと まあ じゃあ じゃ では それじゃ それでは さて さてと ほら おい "
    "はい うん よし よし えい そう そうだ いや で でさ それで てか ていうか というか とりあえず やっぱり やっぱ もし もしもし どうも うわ わあ きゃあ "
    "すみません すいません すまん すんません 失礼します 恐れ入ります 恐縮ですが 申し訳ありません 申し訳ございません お手数ですが "
    "お忙しいところ 夜分にすみません ままあ まま ますた ねえまま じゃあまま もうさ もうね てかさ ほんと まじ まじで はぁ はあ ふう あれ おや".split()
)
PREFIXES = tuple(
    sorted(
        "えっと えと ええと あのう あのさ あのね なんか ちょっと すみません すいません とりあえず めっちゃ すごく とても 超 まじで まじ ほんとに 本当に "
        "ほんま ほんまに やっぱり やっぱ じゃあ それじゃ もうさ もうね なんだか どうも ちなみに もしかして かなり 結構 けっこう".split(),
        key=len,
        reverse=True,
    )
)

QUESTIONS = {
    "いつ": "いつ", "何時": "何時", "なんじ": "何時", "何日": "いつ", "どこ": "どこ", "何処": "どこ", "どちら": "どちら", "どっち": "どちら",
    "だれ": "誰", "誰": "誰", "どなた": "誰", "なぜ": "なぜ", "何故": "なぜ", "なんで": "なぜ", "何で": "なぜ", "どうして": "なぜ",
    "どう": "どう", "どうやって": "どう", "いかが": "どう", "いくら": "いくら", "いくつ": "いくつ", "何歳": "いくつ", "どれ": "どれ",
    "どの": "どれ", "どんな": "どんな", "何": "何", "なに": "何", "なん": "何", "何人": "何人", "何分": "何分", "どのくらい": "どのくらい",
    "どれくらい": "どのくらい", "何個": "いくつ", "何階": "どこ",
    "when": "いつ", "where": "どこ", "who": "誰", "whose": "誰", "why": "なぜ", "how": "どう", "what": "何", "which": "どれ",
}  # fmt: skip

TIMES = {
    "今日": "今日", "きょう": "今日", "本日": "今日", "昨日": "昨日", "きのう": "昨日", "明日": "明日", "あした": "明日", "あす": "明日",
    "明後日": "明後日", "あさって": "明後日", "一昨日": "一昨日", "おととい": "一昨日", "昨夜": "昨夜", "昨晩": "昨夜", "ゆうべ": "昨夜",
    "今夜": "今夜", "今晩": "今夜", "今朝": "今朝", "今週": "今週", "先週": "先週", "来週": "来週", "再来週": "再来週", "今月": "今月",
    "先月": "先月", "来月": "来月", "今年": "今年", "去年": "去年", "昨年": "去年", "来年": "来年", "毎日": "毎日", "毎週": "毎週",
    "毎月": "毎月", "毎年": "毎年", "平日": "平日", "週末": "週末", "土日": "週末", "祝日": "祝日", "年末": "年末", "年始": "年始",
    "らいしゅう": "来週", "せんしゅう": "先週", "さっき": "さっき", "昔": "昔", "むかし": "昔",
    "today": "今日", "yesterday": "昨日", "tomorrow": "明日", "tonight": "今夜", "last": "last", "next": "next", "every": "every",
}  # fmt: skip
PRESENT = frozenset({"今日", "今夜", "さっき", "今朝", "今週"})

PERSONS = {
    word: word
    for word in (
        "彼女 彼氏 彼 友達 友人 ともだち 母 父 両親 親 妻 嫁 奥さん 夫 旦那 主人 息子 娘 子供 子ども 兄 弟 姉 妹 祖父 祖母 部長 課長 社長 店長 先輩 後輩 "
        "同僚 上司 部下 先生 猫 犬 あの人 あいつ 誰か みんな 皆 隣 客 赤ちゃん 友 "
        "he she they his her their him them wife husband dog cat friend boss mother father mom dad son daughter brother sister".split()
    )
}

ENGLISH_STOP = frozenset(
    "a an the please could can you i we me my our your is are am was were be to do does did it its im ive id of for in on at so just "
    "may might would will shall some there here and or um uh hmm hm well oh hey hi ok okay ugh er erm right now really very "
    "mama maam sir got get have has need want with this that see".split()
)
ENGLISH_NOT = frozenset(
    "not no never dont doesnt didnt cant cannot couldnt wont wouldnt isnt arent wasnt werent havent hasnt nothing nobody without "
    "hardly aint nor neither none".split()
)
DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")
