"""The closed classes of Japanese and English that matching leans on: particles, auxiliaries, interjections, pronouns.

Data only. A word belongs here when its class could be printed in full in a grammar book; topics never do. All words
are in normal form (hiragana, no long marks), as `normalise` leaves them.
"""

from __future__ import annotations

NEGATIVE, REQUEST, DESIRE, EXCESS = "N", "R", "D", "X"
"""Marks stand in a core for what an ending meant; texts are case-folded, so a capital is never a letter."""

JOINED = "te"
"""An ending that leaves the verb in its て-form, which `endings` then takes off too."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FINAL = _words("""
    よ ね な わ さ ぞ ぜ か の かな かしら っけ よね わね よな のよ のね もん じゃん け けど けれど けれども が し
    から ので のに って は を に も へ と で には では との のは のが けどね なあ や やで やん やねん ねん ばい っす
    っすか っすよ んや のや んよ ぜよ っちゃ だべ べ
""")
_COPULA = _words("""
    です でした だ でしょう でしょうか でしょ だろう だろ なんです んです のです なのです なんだ んだ のだ なの なん
    である んですか だっけ でしたっけ らしいです だよ だね っしょ んですが ですが ございます でございます ようです
    ようだ ようで じゃ なんや
""")
_POLITE = _words("""
    ます ました ましょう ましょうか する します しました しよう しましょう と思います と思う と思って と思っています
    と思いまして
""")
_ASPECT = _words("""
    てる でる ている でいる てます でます ています でいます てた でた ていた でいた てました でました ていました
    でいました とる どる とった ちゃった じゃった ちゃう じゃう ちゃって ちゃいました じゃいました てしまった
    でしまった てしまう てしまいました でしまいました てもた ておる てみたい ておきたい てはる
""")
_REQUEST = _words("""
    ください 下さい くださいませ ちょうだい 頂戴 いただけますか いただけませんか いただけますでしょうか
    いただけませんでしょうか いただける いただきたい いただきたく 頂けますか 頂けませんか 頂きたい もらえますか
    もらえませんか もらえる もらえない もらっていい もらえないか もらいたい くれますか くれませんか くれる くれない
    くれへん くれ お願いします お願いいたします お願い致します お願い お願いできますか お願いできる おねがい
    おねがいします なさい 頼む 頼みます たのむ よろしく よろしくお願いします がほしい ほしい 欲しい が欲しい
""")
_NEGATIVE = _words("""
    ない ません なかった ませんでした なくて へん まへん ひん んかった ねえ ず ずに ないです なく しない しません
    できへん
""")
_DESIRE = _words("たい たく たかった したい")
_EXCESS = _words("すぎ すぎる すぎた すぎて 過ぎ 過ぎる 過ぎた 過ぎて")

ENDINGS: dict[str, str] = (
    dict.fromkeys(_FINAL | _COPULA | _POLITE, "")
    | dict.fromkeys(_ASPECT, JOINED)
    | dict.fromkeys(_REQUEST, REQUEST)
    | dict.fromkeys(_NEGATIVE, NEGATIVE)
    | dict.fromkeys(_DESIRE, DESIRE)
    | dict.fromkeys(_EXCESS, EXCESS)
)
"""What may end a clause without being its content, and the mark that is left of it."""
LONGEST_ENDING = max(map(len, ENDINGS))

TE_FORMS = _words("って んで いて いで して て")
TA_FORMS = _words("った んだ いた いだ した た かった")

PARTICLES = _words("""
    が を に の は も へ と で や には では とは への との にも でも から まで より って とか だけ しか のが のは ので
    なら
""")
NOT_PARTICLES = tuple(_words("でき でし でしょ もら とれ とっ とり のん のみ のむ のめ やめ はいれ はい"))
"""Verbs that begin like a particle where they follow a noun directly."""

FILLERS = _words("""
    えっと えと ええと あの あのう あのさ あのね ねえ ね ねえねえ ねね なんか ちょっと まあ じゃあ じゃ では
    それじゃ それでは さて さてと ほら おい はい うん よし えい そう そうだ いや で でさ それで てか ていうか
    というか とりあえず やっぱり やっぱ もし もしもし どうも うわ わあ きゃあ もうさ もうね てかさ ほんと まじ
    まじで あれ おや すみません すいません すまん すんません 失礼します 恐れ入ります 恐縮ですが 申し訳ありません
    申し訳ございません お手数ですが お忙しいところ まま ままさん ねえまま じゃあまま um uh hmm hm well oh hey hi ok
    okay so ugh er erm please mama
""")
"""Clauses that only open a turn or call somebody; they count only where nothing else is said."""

PREFIXES: tuple[str, ...] = tuple(
    sorted(
        _words("""
    えっと えと ええと あのう あのさ あのね なんか ちょっと すみません すいません とりあえず めっちゃ すごく とても
    超 まじで まじ ほんとに 本当に ほんま ほんまに やっぱり やっぱ じゃあ それじゃ もうさ もうね なんだか どうも
    ちなみに もしかして かなり 結構 けっこう
"""),
        key=len,
        reverse=True,
    )
)
"""Fillers and adverbs of degree that may stand before a clause without a pause."""

QUESTIONS = {
    "いつ": "いつ", "何日": "いつ", "when": "いつ", "何時": "何時", "なんじ": "何時", "どこ": "どこ",
    "何処": "どこ", "何階": "どこ", "where": "どこ", "どちら": "どちら", "どっち": "どちら", "だれ": "誰",
    "誰": "誰", "どなた": "誰", "who": "誰", "whose": "誰", "なぜ": "なぜ", "何故": "なぜ", "なんで": "なぜ",
    "何で": "なぜ", "どうして": "なぜ", "why": "なぜ", "どう": "どう", "どうやって": "どう", "いかが": "どう",
    "how": "どう", "いくら": "いくら", "いくつ": "いくつ", "何歳": "いくつ", "何個": "いくつ", "どれ": "どれ",
    "どの": "どれ", "which": "どれ", "どんな": "どんな", "何": "何", "なに": "何", "なん": "何", "what": "何",
    "何人": "何人", "何分": "何分", "どのくらい": "どのくらい", "どれくらい": "どのくらい",
}  # fmt: skip

TIMES = {
    "今日": "今日", "本日": "今日", "today": "今日", "昨日": "昨日", "きのう": "昨日", "yesterday": "昨日",
    "明日": "明日", "あした": "明日", "tomorrow": "明日", "明後日": "明後日", "あさって": "明後日",
    "一昨日": "一昨日", "おととい": "一昨日", "昨夜": "昨夜", "昨晩": "昨夜", "ゆうべ": "昨夜", "今夜": "今夜",
    "今晩": "今夜", "tonight": "今夜", "今朝": "今朝", "今週": "今週", "先週": "先週", "来週": "来週",
    "再来週": "再来週", "今月": "今月", "先月": "先月", "来月": "来月", "今年": "今年", "去年": "去年",
    "昨年": "去年", "来年": "来年", "毎日": "毎日", "毎週": "毎週", "毎月": "毎月", "毎年": "毎年", "平日": "平日",
    "週末": "週末", "土日": "週末", "祝日": "祝日", "年末": "年末", "年始": "年始", "らいしゅう": "来週",
    "せんしゅう": "先週", "さっき": "さっき", "昔": "昔", "むかし": "昔", "last": "last", "next": "next",
    "every": "every",
}  # fmt: skip
PRESENT = frozenset({"今日", "今夜", "さっき", "今朝", "今週"})
"""Times that only spell out what a sentence without any time means."""

PERSONS = _words("""
    彼女 彼氏 彼 友達 友人 ともだち 母 父 両親 妻 嫁 奥さん 夫 旦那 主人 息子 娘 子供 子ども 兄 弟 姉 妹 祖父 祖母
    部長 課長 社長 店長 先輩 後輩 同僚 上司 部下 先生 猫 犬 あの人 あいつ 誰か みんな 皆 隣 赤ちゃん 友 he she they
    his her their him them wife husband dog cat friend boss mother father mom dad son daughter brother sister
""")
"""Kinship, rank and third persons."""

ENGLISH_STOP = _words("""
    a an the please could can you i we me my our your is are am was were be to do does did it its im ive id of for
    in on at so just may might would will shall some there here and or um uh hmm hm well oh hey hi ok okay ugh er
    erm right now really very mama maam sir got get have has need want with this that see
""")
ENGLISH_NOT = _words("""
    not no never dont doesnt didnt cant cannot couldnt wont wouldnt isnt arent wasnt werent havent hasnt nothing
    nobody without hardly aint nor neither none
""")
NUMERALS = str.maketrans("〇一二三四五六七八九", "0123456789")

A_ROW = frozenset("あかがさざただなはばぱまやらわ")
I_ROW = frozenset("いきぎしじちぢにひびぴみり")
U_ROW = frozenset("うくぐすずつづぬふぶぷむゆる")
E = "えけげせぜてでねへべぺめれ"
O = "おこごそぞとどのほぼぽもよょろ"  # noqa: E741
