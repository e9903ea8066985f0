"""The closed classes of Japanese and English that matching leans on: particles, auxiliaries, interjections, pronouns.

Data only. A word belongs here when its class could be printed in full in a grammar book; topics never do. All words
are in normal form (hiragana, no long marks), as `normalise` leaves them.
"""

from __future__ import annotations

NEGATIVE, REQUEST, DESIRE, EXCESS, PERMISSION, PAST = "N", "R", "D", "X", "P", "T"
MARKS = "NRDXPT"
"""Marks stand in a core for what an ending meant; texts are case-folded, so a capital is never a letter."""

JOINED = "+"
"""Beside a mark: the ending leaves the verb in its て-form, which is then taken off too."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FINAL = _words("""
    よ ね な わ さ ぞ ぜ か の かな かなあ かしら っけ よね わね よな のよ のね もん じゃん け けど けれど けれども
    が し ですから ますから だから たから からね からな からさ からよ ので のに って は を に も へ と で には では
    との のは のが けどね なあ ねえ や やで やん やねん ねん ばい っす っすか っすよ んや のや んよ ぜよ っちゃ だべ
    べ
""")
_AFTER_COPULA = _words("よ ね な よね よな なあ よなあ か けど けれど けれども が し から もん わ わね ねえ") | {""}
_COPULA = frozenset(
    nominal + copula + final
    for nominal in ("", "ん", "の", "なん", "なの")
    for copula in ("だ", "です")
    for final in _AFTER_COPULA
)
_COPULA |= _words("""
    でしょう でしょうか でしょ だろう だろ なの なん である そう っしょ ございます でございます じゃ なんや ので なので
    んで
""")
_EVIDENTIAL = _words("みたい みたいで みたいな ようで よう")
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
    くれへん くれん くんない くれ お願いします お願いいたします お願い致します お願い お願いできますか お願いできる
    おねがい おねがいします なさい 頼む 頼みます たのむ よろしく よろしくお願いします いただけると助かります
    いただけますと幸いです いただけると幸いです がほしい ほしい 欲しい が欲しい
""")
_NEGATIVE = _words("""
    ない ません なかった ませんでした なくて へん まへん ひん んかった ず ずに ないです なく ないから ないからね
    しない しません できへん
""")
_PERMISSION = _words(
    "ていい てもいい てよい てもよい てもよろしい てもかまわない て大丈夫 ても大丈夫 でいい でもいい でも大丈夫"
)
_DESIRE = _words("たい たく たかった したい たく存じます たいと存じます したく存じます")
_EXCESS = _words("すぎ すぎる すぎた すぎて 過ぎ 過ぎる 過ぎた 過ぎて")

_PAST = _words("でした だった ました しました だっけ でしたっけ")
_PAST_ASPECT = _words("""
    てた でた ていた でいた てました でました ていました でいました とった ちゃった じゃった ちゃいました
    じゃいました てしまった でしまった てしまいました でしまいました てもた
""")
_PAST_NEGATIVE = _words("なかった ませんでした んかった")

ENDINGS: dict[str, str] = (
    dict.fromkeys(_FINAL | _COPULA | _POLITE | _EVIDENTIAL, "")
    | dict.fromkeys(_REQUEST, REQUEST)
    | dict.fromkeys(_NEGATIVE, NEGATIVE)
    | dict.fromkeys(_DESIRE, DESIRE)
    | dict.fromkeys(_EXCESS, EXCESS)
    | dict.fromkeys(_PERMISSION, PERMISSION + JOINED)
    | dict.fromkeys(_ASPECT, JOINED)
    | dict.fromkeys(_PAST, PAST)
    | dict.fromkeys(_PAST_ASPECT, PAST + JOINED)
    | dict.fromkeys(_PAST_NEGATIVE, NEGATIVE + PAST)
    | {"たかった": DESIRE + PAST}
)
"""What may end a clause without being its content, and the mark that is left of it."""
AFTER_PREDICATE = _EVIDENTIAL
"""Endings only after a predicate's plain form: 壊れたみたい, but not 飲みたい."""

TE_FORMS = _words("って んで いて いで して て")
TA_FORMS = _words("った んだ いた いだ した た かった")

PARTICLES = _words("""
    が を に の は も へ と で や には では とは への との にも でも とか だけ しか のが のは ので なら
""")
NOT_PARTICLES = tuple(_words("でき でし もら とれ とっ とり のん のみ のむ のめ はいっ はいら はいり はいる はいれ"))
"""Verbs that begin like a particle where they follow a noun directly."""

FILLERS = _words("""
    えっと えと ええと あの あのう あのさ あのね ねえ ね ねえねえ ねね なんか ちょっと まあ じゃあ じゃ では
    それじゃ それでは さて さてと ほら おい はい うん よし えい そう そうだ いや で でさ それで てか ていうか
    というか とりあえず やっぱり やっぱ もし もしもし どうも うわ わあ きゃあ もうさ もうね てかさ ほんと まじ
    まじで あれ おや ところで そういえば そういや そうそう うわん 実は いやあ やれやれ あちゃ おっと さあ ええ なあ
    よっしゃ でも だから だって それに あと まったく もう ふむ へい ごめん ごめんね お疲れ様です お疲れさまです
    おつかれさまです お疲れ様 お疲れ おつかれ お世話になっております お世話になります いつもお世話になっております
    こんにちは こんばんは おはよう おはようございます はじめまして お久しぶりです ただいま 失礼いたします
    度々すみません 何度もすみません 突然すみません すみません すいません すまん すんません 失礼します 恐れ入ります
    恐縮ですが 申し訳ありません 申し訳ございません お手数ですが お忙しいところ まま ままさん ねえまま じゃあまま um
    uh hmm hm well oh hey hi ok okay so ugh er erm please wow but mama hello welp yo sorry excuse me good morning
    evening
""")
"""Clauses that only open a turn or call somebody; they count only where nothing else is said."""

OPENERS = _words("質問 質問あ 聞き ちょっと聞き 伺い お伺い 急ぎ お急ぎ 至急 相談 ご相談 お願い 確認 ご確認")
"""What may be left of a clause that only announces the next one: 質問なんですけど, 急ぎなんですが."""

PREFIXES: tuple[str, ...] = tuple(
    sorted(
        _words("""
    えっと えと ええと あのう あのさ あのね なんか ちょっと すみません すいません とりあえず めっちゃ すごく とても
    超 まじで まじ ほんとに 本当に ほんま ほんまに やっぱり やっぱ じゃあ それじゃ もうさ もうね なんだか どうも
    ちなみに もしかして かなり 結構 けっこう ほんと もうそろそろ そろそろ もう なんだか もしよければ よければ
    よかったら できれば できたら そういや
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
    "どの": "どれ", "which": "どれ", "what time": "いつ", "what day": "いつ", "what date": "いつ",
    "how much": "いくら", "how many": "いくつ", "どんな": "どんな", "何": "何", "なに": "何", "what": "何",
    "何人": "何人", "何分": "何分", "何月": "いつ", "何曜": "いつ", "何年": "何年", "何円": "いくら",
    "何才": "いくつ", "何名": "何人", "何回": "何回", "何度": "何度", "何本": "何本", "何杯": "何杯",
    "何枚": "何枚", "何番": "何番", "何号": "何番", "何色": "何色", "どのくらい": "どのくらい",
    "どれくらい": "どのくらい",
}  # fmt: skip

UNLIKE: dict[str, tuple[str, tuple[str, ...]]] = {
    "なんで": ("", ("す", "しょ")),
    "何で": ("", ("す", "しょ")),
    "いつ": ("", ("も", "か")),
    "どう": ("いぶこそ", ("も", "ぞ", "せ", "ろ", "い")),
    "どこ": ("", ("か", "も")),
    "だれ": ("", ("か", "も")),
    "誰": ("", ("か", "も")),
    "なに": ("", ("か", "も", "せ")),
    "何": ("", ("か", "も", "とか")),
    "夫": ("丈", ()),
    "友": ("", ("人", "達")),
}
"""Words that are part of another one after these characters or before these."""

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
    部長 課長 社長 店長 先輩 後輩 同僚 上司 部下 先生 猫 犬 あの人 あいつ 誰か おばさん おばあさん おじさん
    おじいさん みんな 皆 隣 赤ちゃん 友 he she they his her their him them wife husband dog cat friend boss mother
    father mom dad son daughter brother sister
""")
"""Kinship, rank and third persons."""

ENGLISH_STOP = _words("""
    a an the please but wow could can you i we me my our your is are am was were be to do does did it its im ive id
    of for in on at so just may might would will shall some there here and or um uh hmm hm well oh hey hi ok okay
    ugh er erm right now really very mama maam sir got get have has need want with this that see
""")
ENGLISH_NOT = _words("""
    not no never dont doesnt didnt cant cannot couldnt wont wouldnt isnt arent wasnt werent havent hasnt nothing
    nobody without hardly aint nor neither none
""")
ENGLISH_SAYING = _words("say says said saying told tells texted wrote asked called")
NUMERALS = str.maketrans("〇一二三四五六七八九", "0123456789")
NUMBER_WORDS = {
    "ひとつ": "1つ", "ひとり": "1人", "ふたつ": "2つ", "ふたり": "2人", "みっつ": "3つ", "よっつ": "4つ",
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "half": "0.5", "double": "2",
}  # fmt: skip

I_ROW = frozenset("いきぎしじちぢにひびぴみり")
INFLECTED = I_ROW | frozenset("あかがさざただなはばぱまやらわ") | frozenset("うくぐすずつづぬふぶぷむゆる")
"""What a stem may end in that another inflection changes."""
E = "えけげせぜてでねへべぺめれ"
O = "おこごそぞとどのほぼぽもよょろ"  # noqa: E741 - the row's own name
