"""What `misaki init` says, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Sentences with gaps in braces; `default_persona` is the name that a bot gets where none is given."""

    default_persona: str
    which_persona: str
    done: str
    path: str
    bad_name: str
    exists: str
    empty_persona: str
    long_persona: str
    bad_sign: str
    no_letter: str
    unanswered: str


WHICH_LANGUAGE = "日本語: ja / English: en [{default}] "
NO_LANGUAGE = "ja か en で答えてください / answer ja or en"
"""Asked before the language is known, and so in both."""

WORDS: Mapping[Language, Words] = {
    "en": Words(
        default_persona="Hana",
        which_persona="What is the bot called? [{default}] ",
        done="""`{name}` holds {persona}. Next:
  cd {name}
  misaki chat        talk in the terminal
  misaki validate    look for mistakes
  misaki test        play the golden conversations
  misaki serve       answer on http://127.0.0.1:9000
What is said stands in `replies/`.""",
        path="`{text}` is a path: give a name alone, in the folder that shall hold the new one",
        bad_name=(
            "`{text}` cannot be the name of a bot's folder: expected small letters, digits and `_`, beginning with a "
            "letter and 60 at most, such as `{example}`; --persona takes any name"
        ),
        exists="`{folder}` is there already, and nothing of it was changed: choose another name",
        empty_persona="the persona's name is empty: give one, as --persona Hana",
        long_persona="the persona's name has {length} characters: expected {longest} at most",
        bad_sign="the persona's name holds {sign}, which files of a bot read as something else: leave it out",
        no_letter="the persona's name `{persona}` has no letter: give a name that can be said, as --persona Hana",
        unanswered="the questions were not answered: give --lang and --persona",
    ),
    "ja": Words(
        default_persona="ハナ",
        which_persona="ボットの名前は何にしますか。 [{default}] ",
        done="""`{name}` に「{persona}」ができました。次は:
  cd {name}
  misaki chat        端末で話す
  misaki validate    書きまちがいを探す
  misaki test        見本の会話を演じる
  misaki serve       http://127.0.0.1:9000 で答える
台詞は `replies/` にあります。""",
        path="`{text}` はフォルダーの場所です。新しいフォルダーを置く場所へ移ってから、名前だけを書いてください",
        bad_name=(
            "`{text}` はボットのフォルダーの名前にできません。英小文字で始め、英小文字、数字、`_` だけで 60 文字までに"
            "してください（たとえば `{example}`）。ボット自身の名前は、--persona で自由に付けられます"
        ),
        exists="`{folder}` はもうあります。何も変えていません。別の名前にしてください",
        empty_persona="ボットの名前が空です。--persona ハナ のように書いてください",
        long_persona="ボットの名前が {length} 文字あります。{longest} 文字までにしてください",
        bad_sign="ボットの名前に {sign} があります。ボットのファイルでは別の意味になるので、除いてください",
        no_letter="ボットの名前 `{persona}` に文字がありません。--persona ハナ のように、声に出せる名前にしてください",
        unanswered="質問の答えがありません。--lang と --persona で指定してください",
    ),
}
