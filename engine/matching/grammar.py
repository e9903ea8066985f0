"""Lists the closed classes of Japanese and English that matching needs, by the dictionary's normalised form.

Data only. A word belongs here when its class could be printed in full in a grammar book; topics never do.
"""

from __future__ import annotations

from engine.text.english import stem


def _as_written(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(text: str) -> frozenset[str]:
    """Latin words by their stems."""
    return frozenset(stem(word) if word.isascii() else word for word in text.split())


FILLERS = _words("""
    えっと えと ええと あの あー うーん ねえ ね ほら さあ まあ まぁ なあ おい はい うん よし えい もし もしもし どうも
    うわ わあ きゃあ あれ おや やれやれ おっと ええ そうそう ふむ へい やあ よう おう へえ ふーん はあ ああ うう おお
    いやあ いや 否 んー えー あら へー ほう 一寸 取り敢えず 矢張り 実は 因み 是非 割 割と 普通 何か あっ お おっ え
    えっ ん ほい ほれ そら うむ 姉 おっと ふう well oh hey hi okay ok um uh hmm hm er erm ugh wow man yo actually
    basically literally honestly anyway so but z zz zzz lol haha kindly possibly maybe perhaps
""")
"""Words that only fill, open or soften a sentence."""

INTENSITY = _words("""
    凄い 迚も 目茶 目茶苦茶 超 可也 結構 大分 随分 余り 本当 本真 真剣 マジ まじ 非常 相当 少し 多少 若干 稍 滅茶
    滅茶苦茶 無茶 酷く ばり でら なまら 激 鬼 爆 物凄い 余程 尚更 更に 益々 段々 遂に 終に 到頭 漸く やっと 急 突然
    何だか 何と無く すっかり ずっと もう 最早 既に そろそろ ぼちぼち 丁度 只 唯 結局 一応 多分 きっと 恐らく 中々 全然
    ちっとも 全く 絶対 もろ 一段 一層 やけに 妙 案外 意外 めっさ めちゃくちゃ ごっつ むっちゃ めっちゃ がち ガチ
    いっそ つくづく 兎に角 兎も角 何時も まるで 実際 正直 相変わらず 又 心底 やけ どんどん しっかり ちゃんと がっつり
    矢鱈 無闇 可成 しょっちゅう 頻繁 度々 屡々 常 異常 異様 極端 完全 完璧 圧倒的 愈 次第 そこそこ まあまあ 一気 行成
    偶に 些とも 時々 只管 とうとう がんがん 本気 殆ど もっと 猛烈 強烈 徐々 依然 未だに まだまだ やっぱ
    so very really quite pretty too absolutely totally completely super incredibly extremely terribly awfully just
    bit kind real even still also already again much lot constantly often finally suddenly always
""")
"""Adverbs of degree, course and completion: with or without them a sentence wants the same answer."""

NOW = _words("""
    今日 本日 今月 今年 今 今夜 今晩 最近 近頃 此の頃 この頃 先程 さっき 今朝 今週 現在 先 目下 今回 今頃 此の所 夜 朝
    夕方 昼 today tonight now currently lately recently right morning evening day
""")
"""Times that only spell out what a sentence without any time means."""

TIMES = _words("""
    昨日 明日 明後日 一昨日 昨夜 昨晩 昨夕 夕べ 明朝 先週 来週 再来週 先月 来月 去年 昨年 来年 毎日 毎週 毎月 毎年
    毎晩 毎朝 平日 週末 土日 祝日 年末 年始 昔 以前 将来 今後 後 翌日 先日 曾て 今度 月曜 火曜 水曜 木曜 金曜 土曜
    日曜 yesterday tomorrow last next every ago later before after weekend monday tuesday wednesday thursday friday
    saturday sunday
""")

ALWAYS = _words("毎日 毎週 毎月 毎年 毎晩 毎朝")
"""Those that say how often."""
PAST_TIMES = _words("昨日 昨夜 昨晩 昨夕 夕べ 一昨日 先週 先月 去年 昨年 先日 以前 昔 yesterday")

QUESTIONS = {
    "何": "何", "何時": "いつ", "いつ": "いつ", "何曜": "いつ", "何処": "どこ", "どこ": "どこ", "どちら": "どこ",
    "何方": "どこ", "誰": "誰", "どなた": "誰", "何人": "何人", "どう": "どう", "如何": "どう", "どの": "どれ",
    "何の": "どれ", "何れ": "どれ", "どれ": "どれ", "どんな": "どんな", "何故": "なぜ", "幾ら": "いくら",
    "幾つ": "いくつ", "幾": "いくつ", "what": "what", "who": "who", "whos": "who", "where": "where", "wher": "where",
    "when": "when", "why": "why", "how": "how", "which": "which",
}  # fmt: skip
"""Question words, by what they ask for."""

SUBJECTS = _words("i you he she we they it")
SHOWN = _words("this that these those there")
"""What stands where a subject does, before or behind `be`."""
STANDING = SUBJECTS | SHOWN
"""What may follow the verb that begins a question."""
HELPERS = _words("do can could will would be have may shall should")
"""English verbs that begin a question."""

COUNTED = {"一人": "1人", "二人": "2人", "二十歳": "20歳"}
"""Numbers that the dictionary has as words."""

POINTING = _words("""
    此れ 其れ 彼れ 此処 其処 彼処 此の 其の 彼の 此方 其方 彼方 こんな そんな あんな こう そう ああ 此奴 其奴 あそこ
    it this that there here these those
""")
ONESELF = _words("""
    私 僕 俺 内 自分 儂 我 貴方 君 御前 お前 あんた 貴様 うち i me my mine myself we us our you your yours
""")
"""The two who talk. A sentence means the same with them spoken or left out."""

LISTENER = _words("貴方 君 御前 お前 あんた 貴様")
"""Those of them that name who is talked to."""
SPEAKER = _words("私 僕 俺 内 儂 我 うち")
"""And those that name who talks."""

LIGHT = _words("""
    為る 有る 居る 成る おる 御座る 遣る いらっしゃる 為さる 致す 存ずる 出来る 思う 物 事 訳 筈 様 の 方 感じ 気 無い
    知れる という こと もの 方法 仕方 be do have get got there thing
""")
"""Verbs and nouns that carry grammar, not content."""

AFTER_TE = _words("仕舞う 置く おく 見る 来る 行く 居る おる 有る 上げる いる ある みる くる いく")
"""Verbs that only colour the verb before them, which ends in て."""

GIVING = _words("下さる 呉れる 頂戴 願う 貰う 頂く 欲しい 求む please")
"""Words that ask for something; what they ask for is the content."""

TELLING = _words("教える 聞かせる")
"""Verbs that, in a request, only ask for an answer."""

FUNCTIONAL = _words(
    "良い 違う 同じ 分かる 知る 行く 来る 見る 言う 待つ 要る 入る 出る 大丈夫 駄目 嫌 too see know go come"
)
"""Words that say little: beside nothing else, the words that point count too."""

SAME = {
    "御座る": "有る",
    "いらっしゃる": "居る",
    "おる": "居る",
    "まじ": "本当",
    "マジ": "本当",
    "すく": "空く",
    "やった": "遣る",
    "大好き": "好き",
    "オーケー": "ok",
    "腹": "御腹",
    "仰る": "言う",
    "申す": "言う",
    "召し上がる": "食べる",
    "拝見": "見る",
    "御覧": "見る",
    "参る": "行く",
}
"""Forms that the dictionary keeps apart."""

KEPT_PARTICLES = _words("迄 まで しか だけ 丈 より ばかり 許り ずつ")
"""Particles that change what is said; から beside a noun is another."""

MEANING = {
    "たい": "want",
    "たがる": "want",
    "過ぎる": "too",
    "せる": "let",
    "させる": "let",
    "れる": "by",
    "られる": "by",
}
"""Auxiliaries, and a verb used as one, with a meaning of their own."""

NEGATIVE = _words("ない 無い ず ぬ まい へん")
POLITE_PREFIXES = _words("御 お ご 真っ 大")
HONORIFICS = _words("さん 様 ちゃん 君 殿 氏 たん さま くん 達 たち 等 ら 振り")

OPENERS = _words("""
    有り難う 今晩は 今日は 御早う 御早う御座る 始める 馳走 世話 疲れ 済む 済みません 失礼 恐れ入る 申し訳 久しい
    御免 質問 急ぎ 相談 聞く 伺う 報告 話 只今 大きに 了解 御免なさい 待つ 確認 至急 度々 突然 忙しい 手数 恐縮 初め
    御無沙汰 頂く さて おっす hello hi hey good morning evening thank thanks sorry excuse way night howdy greeting
    hiya please cheer
""")
"""Words of greeting, thanks and apology: a clause of nothing else counts only where nothing else is said."""

ENGLISH_STOP = _words("""
    a an the be do have to for of at with and or if then than as by some any all can will would shall should may
    might must get go let want need like please guy dear sir madam from about into per though because outside here
    would could
""")
ENGLISH_KEPT_AFTER = _words("turn switch log sign clock fill put check let com go shut pow start leav tak")
"""Verbs (stems) with which on and in make other verbs."""
ENGLISH_PLACES = _words("on in")
ENGLISH_NOT = _as_written("""
    not no never dont doesnt didnt cant cannot couldnt wont wouldnt isnt arent wasnt werent havent hasnt nothing
    nobody without hardly aint nor neither none
""")
ENGLISH_SAYING = _as_written("say says said saying told tells texted wrote asked called")

CLASS_OF = {
    form: name
    for name, forms in reversed(
        (
            ("question", QUESTIONS),
            ("talker", ONESELF),
            ("pointing", POINTING),
            ("now", NOW),
            ("time", TIMES),
            ("filler", FILLERS),
            ("intensity", INTENSITY),
            ("meaning", MEANING),
            ("giving", GIVING),
            ("telling", TELLING),
            ("light", LIGHT),
        )
    )
    for form in forms
}
"""The class of each Japanese word that has one; the first of several counts."""

ENGLISH_CLASS_OF = {
    form: name
    for name, forms in reversed(
        (
            ("question", QUESTIONS),
            ("place", ENGLISH_PLACES),
            ("not", ENGLISH_NOT),
            ("talker", ONESELF),
            ("pointing", POINTING),
            ("now", NOW),
            ("time", TIMES),
            ("intensity", INTENSITY),
            ("filler", FILLERS),
            ("giving", GIVING),
            ("like", (stem("like"),)),
            ("light", ENGLISH_STOP),
        )
    )
    for form in forms
    if form.isascii()
}
"""The class of each English stem that has one."""
