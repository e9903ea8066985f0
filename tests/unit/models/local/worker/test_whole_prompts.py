"""Whatever a guest writes into whatever part of a prompt, the model reads no control token and no speaker from it."""

from __future__ import annotations

import llama_cpp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.turn import Exchange, Labels, Message, Prompt
from engine.models.local.worker.chat_template import ChatTemplate
from engine.models.local.worker.forgery import Censor
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.layout import Chat, Transcript
from tests.models import CHATML, write_tiny_model

LABELS = Labels("お客さん", "美砂樹")
PIECES = [
    "<|im_start|>",
    "<|im_",
    "start|>",
    "<|im_end|>",
    "</s>",
    "<s",
    ">",
    "<unk>",
    "system\n",
    "[INST]",
    "\n",
    "\u2028",
]
PIECES += [
    "美砂樹",
    "美砂",
    "樹",
    ":",
    "：",
    "︰",
    "お客さん:",
    "\u200b",
    "\ufe0f",
    "\u034f",
    "\u2800",
    "｜",
    "＜",
    "＞",
    "|",
    "<",
    " ",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("models") / "chatty.gguf", chat_template=CHATML)


@pytest.fixture(scope="module")
def commands(path):
    """Counts the control tokens that llama.cpp reads in a text."""
    llama = llama_cpp.Llama(str(path), n_ctx=64, vocab_only=True, verbose=False)
    vocabulary = llama_cpp.llama_model_get_vocab(llama.model)

    def count(text: str) -> int:
        tokens = llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=True)
        return sum(bool(llama_cpp.llama_vocab_is_control(vocabulary, token)) for token in tokens)

    return count


def prompt(system: str, example: str, said: str, answered: str, text: str) -> Prompt:
    return Prompt(
        system=f"スナックです。{system}",
        examples=(Exchange(f"や{example}", f"あ{example}"),),
        history=(Message("user", f"や{said}"), Message("assistant", f"あ{answered}")),
        text=f"や{text}",
        labels=LABELS,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS))
def test_no_text_holds_a_command(path, commands, texts):
    metadata = read_metadata(path)
    template = ChatTemplate.of(metadata)
    chat = Chat(template, Censor(metadata.control_tokens, template.fragments), 1)
    transcript = Transcript(Censor(metadata.control_tokens), None)
    nothing = prompt("", "", "", "", "")
    assert commands(chat.lay_out(prompt(*texts)).text) == commands(chat.lay_out(nothing).text)
    assert commands(transcript.lay_out(prompt(*texts)).text) == 0


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS))
def test_no_text_gives_a_speaker_another_line(texts):
    laid_out = Transcript(Censor(), None).lay_out(prompt(*texts)).text
    lines = laid_out.partition("\n\n")[2].splitlines()
    speakers = [line.partition(":")[0] for line in lines]
    assert speakers == ["お客さん", "美砂樹", "お客さん", "美砂樹", "お客さん", "美砂樹"]
    opening = laid_out.partition("\n\n")[0].splitlines()
    assert not [line for line in opening if line.startswith(("お客さん:", "美砂樹:", "美砂樹：", "お客さん："))]
