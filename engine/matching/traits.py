"""Whether a text denies, and whose words it tells: polarity, quotation, irony.

Knows closed classes of grammar, nothing of triggers: the guards compare what is found here. Each alternative of the
patterns begins with a plain character, which lets `re` skip to the places where one may match.
"""

from __future__ import annotations

import re

from engine.matching import grammar
from engine.text.normalise import flatten, hiragana

_LATIN = re.compile("[a-z]+")

_NEGATION = re.compile(
    "な(?<![少危汚切]な)(?:い(?=$|[^ぁ-ん]|[でかよねわのとがけしんだすなほまっじ])|かった|くて|ければ|きゃ)"
    "|ません|まへん|へん(?=$|[わでかねよ])|ん(?<=[られき]ん)(?<!さっきん)(?=$|[わでかねよけしと])|ずに"
    "|ねえ$(?<=[かがさたなばまらわえけげせてねべめれんき]ねえ)|わけ(?:が|は|じゃ)?な"
    "|(?<=[かさたなばまらわえけせてねべめれき出見寝着得来])なくな(?=[っりるら])|嫌い|きらい|苦手"
)
_NOT_NEGATION = re.compile(
    "すみません|すいません|申し訳(?:あり|ござい)ません"
    "|もらえ(?:ません|ない)|いただけ(?:ません|ない)|頂け(?:ません|ない)|くれ(?:ません|ない)"
    "|かもしれ(?:ない|ません)|なければな(?:らない|りません)|なきゃ(?:いけない)?|ないといけない|じゃないですか"
    "|(?:すく|あぶ|せつ|つまら|つまん|くだら)な(?=[いかくけ])|(?<![ぁ-ん])きたな(?=[いかくけ])"
    "|ないと(?=[ねなよ]*$)|ませんか|くない\\?|じゃない\\?|ない(?:の|ん?です)?か?\\?|てたまらない|みません"
)


def negative(folded: str) -> bool:
    """Whether the text denies, refuses or cannot: an odd count of negations that are not mere politeness."""
    plain = hiragana(folded)
    count = 0
    if _NEGATION.search(plain):
        count = len(_NEGATION.findall(_NOT_NEGATION.sub("", plain)))
    return (count + sum(word in grammar.ENGLISH_NOT for word in _LATIN.findall(folded))) % 2 == 1


_QUOTED = re.compile('「.+?[」"]|『.+?』|".+?"|“.+?”')
_SAYING = (
    "(?:言|いわれ|いっ|いう|書|聞|送|返|伝|叫|噂|歌|呼|訳|鼻|手紙|かい|曲|英語|中国語|日本語"
    "|何[てと語]|なん[てと]|どう[言い])"
)
_REPORT = re.compile(
    f"って{_SAYING}|と(?<!っと){_SAYING}|とか{_SAYING}|らしい|だって$(?<=[んな]だって)|という(?!か)|口癖"
)
_IRONY = re.compile(
    "わけ(?:が|は|じゃ)?な|わけねえ|どこが|何が.*だ|もんか$|ものか$|とでも|口が裂け|どころか|なんて(?<=\\wなんて)"
    "|なんか(?<=[くり]なんか)|なんか(?<=[^\\Wぁ-ゖ]なんか)|で済|と言いたい|くせに|と思ったら|と言えたら|のは.*だけ"
)


def signs(folded: str) -> str:
    """`q` where words stand in quotation marks inside more text, `r` for reported speech, `i` for irony or denial."""
    quoted = _QUOTED.search(folded)
    found = "q" if quoted and len(flatten(_QUOTED.sub("", folded))) > 2 else ""
    told = _REPORT.search(folded) or not grammar.ENGLISH_SAYING.isdisjoint(_LATIN.findall(folded))
    found += "r" if told else ""
    return found + ("i" if _IRONY.search(folded) else "")
