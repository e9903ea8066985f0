"""Of a model's text only what is meant for the user is said, through every backend: thoughts are not."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.deadline import Deadline
from engine.core.turn import Completion
from engine.models.local.llama_cpp import load
from engine.models.local.worker.answering import Answerer, choose_layout
from engine.models.local.worker.chat_template import ChatTemplate
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.start import LocalSettings
from engine.models.registry import open_model
from engine.models.spoken import spoken, whole_sentences
from tests.faults import behaviours, wires
from tests.faults.peer import Peer
from tests.faults.stage import PROMPT
from tests.faults.wires import ENVIRONMENT, PROVIDERS, Provider
from tests.models import CHATML, CONTROL, write_tiny_model
from tests.unit.models.local.worker.test_answering import SETTINGS, FakeEngine
from tests.unit.models.local.worker.test_answering import answer as finished
from tests.unit.models.local.worker.test_chat_template import METADATA

AMPLE = 20.0
NAME = "いい名前ね。"
THOUGHTS = (
    "<think>\nshort\n</think>\n\nいい名前ね。",
    "<think>short</think>いい名前ね。",
    "<think></think>いい名前ね。",
    "<think>\n\n</think>\n\nいい名前ね。",
    "<think/>いい名前ね。",
    "The user gives a name.\n</think>\n\nいい名前ね。",
    "</think>\nいい名前ね。",
    "<THINK>short</THINK>いい名前ね。",
    "<Think>short</think>いい名前ね。",
    "<thinking>short</thinking>\nいい名前ね。",
    "<thought>short</thought>いい名前ね。",
    "<reasoning>short</reasoning>いい名前ね。",
    "<seed:think>short</seed:think>いい名前ね。",
    '<think type="inner">short</think>いい名前ね。',
    "< think >short< /think >いい名前ね。",
    "＜think＞short＜/think＞いい名前ね。",
    "[THINK]short[/THINK]いい名前ね。",
    "[think]short[/think] いい名前ね。",
    "◁think▷short◁/think▷いい名前ね。",
    "<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>いい名前ね。<|end_of_solution|>",
    "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>いい名前ね。<|END_RESPONSE|>",
    "<|channel>thought\nshort<channel|>いい名前ね。",
    "<think>I open <think> again</think>いい名前ね。",
    "<think>a</think>b</think>いい名前ね。",
    "hm <think>a</think> b</think>いい名前ね。",
    "<think>a</think>いい<think>b</think>名前ね。",
    "<think>a</think><answer>いい名前ね。</answer>",
    "いい名前ね。<think>was that enough?</think>",
    "いい名前ね。\n<think>was that",
    "いい名前ね。<thi",
    "<|channel|>analysis<|message|>short<|end|><|start|>assistant<|channel|>final<|message|>いい名前ね。<|return|>",
    "<|channel|>analysis<|message|>short<|end|><|start|>assistant<|channel|>final<|message|>いい名前ね。",
    "<|start|>assistant<|channel|>final<|message|>いい名前ね。<|end|>",
    "<|channel|>commentary to=f <|constrain|>json<|message|>{}<|call|><|channel|>final<|message|>いい名前ね。",
    "analysis<|message|>short<|end|><|start|>assistant<|channel|>final<|message|>いい名前ね。",
    "analysisThe user gives a name.assistantfinalいい名前ね。",
    "analysis名前ね。褒めよう。assistantfinalいい名前ね。",
    "<antThinking>short</antThinking>いい名前ね。",
    "<longcat_think>short</longcat_think>いい名前ね。",
    "<inner_thoughts>short</inner_thoughts>いい名前ね。",
    "<thinking_process>short</thinking_process>いい名前ね。",
    "<chain_of_thought>short</chain_of_thought>いい名前ね。",
    "<scratch_pad>short</scratch_pad>いい名前ね。",
    "<internal_monologue>short</internal_monologue>いい名前ね。",
    "<reasoning_content>short</reasoning_content>いい名前ね。",
    "<思考>short</思考>いい名前ね。",
    "【思考】short【/思考】いい名前ね。",
    "【思考過程】short\n【回答】いい名前ね。",
    "&lt;think&gt;short&lt;/think&gt;いい名前ね。",
    "<think>short<\\/think>いい名前ね。",
    "<|inner_prefix|>short<|inner_suffix|>いい名前ね。",
    "<unused94>thought\nshort<unused95>いい名前ね。",
    "[unused16]short[unused17]いい名前ね。",
    "<|thinking_start|>short<|thinking_end|>いい名前ね。",
    "<|begin_of_reasoning|>short<|end_of_reasoning|>いい名前ね。",
    "<｜begin▁of▁thinking｜>short<｜end▁of▁thinking｜>いい名前ね。",
    "```thinking\nshort\n```\nいい名前ね。",
    '<details type="reasoning" done="true"><summary>Thought</summary>short</details>いい名前ね。',
    "<details>\n<summary>Thinking</summary>short</details>\nいい名前ね。",
    "Here is my thought process: short Here is my response: いい名前ね。",
    "Here are my reasoning steps:\nshort\n[BEGIN FINAL RESPONSE]\nいい名前ね。\n[END FINAL RESPONSE]",
    "<think>short</think><final_answer>いい名前ね。</final_answer>",
    "<response>いい名前ね。</response>",
    "<|begin_of_box|>いい名前ね。<|end_of_box|>",
    "<think>short</think>いい名前ね。<|im_end|>",
    "いい名前ね。</s>",
    "いい名前ね。<|im_end|>\n<|im_start|>user\nもう一杯",
    "<|im_start|>assistant\nいい名前ね。<|im_end|>",
    "いい名前ね。<end_of_turn>\n<start_of_turn>user",
)
ONLY_THOUGHTS = (
    "<think>",
    "<think>\nthe user gives a name, so I",
    "<think>a</think>",
    "<think>a</think>\n\n",
    "the user gives a name</think>",
    "<thi",
    "the user gives a name</thin",
    "[THINK]the user",
    "<|channel|>analysis<|message|>the user gives a name",
    "<|channel|>analysis<|message|>the user<|end|><|start|>assistant<|channel|>commentary<|message|>hm<|end|>",
    "<|channel|>analysis",
    "analysisThe user gives a name",
    "<think>いい名前ね。",
    "<longcat_think>the user",
    "【思考】the user gives a name",
    "```thinking\nthe user",
    "<details type='reasoning'>the user",
    "Here is my thought process: the user",
    "<|im_end|>",
)
WORDS = (
    "いい名前ね。",
    "I think so.",
    "analysis of a name takes time.",
    "final",
    "<b>いい</b>名前ね。",
    "[笑]いい名前ね。",
    "1 < 2 > 0",
    "think",
    "“Thinking” is hard.",
    "A <thing> of beauty.",
    "【思】いい名前ね。",
    "Here is my response: no.",
    "<details>いい</details>",
    "```\nthink\n```",
    "<reply",
)


@pytest.mark.parametrize(
    "text", ["<details ", "<details type=", "<think", "<think_a", "<a-", "```think", "&lt;", "</think>", "<think "]
)
def test_a_long_row_of_marks_is_read_in_one_pass(text: str) -> None:
    began = time.thread_time()
    spoken(text * (400_000 // len(text)))
    assert time.thread_time() - began < 10


def answer(provider: Provider, text: str, finish: str = "stop") -> Completion:
    with Peer([behaviours.respond(wires.answer(provider, text, finish))]) as peer:
        return open_model(wires.row(provider, peer.url), ENVIRONMENT).generate(PROMPT, Deadline.after(AMPLE))


def local_answer(text: str, finish: str = "stop", template: str | None = None) -> Completion:
    metadata = replace(METADATA, chat_template=template)
    engine = FakeEngine(text=text, finish_reason=finish)
    settings = replace(SETTINGS, context=2000)
    return finished(Answerer(engine, choose_layout(settings, metadata), settings))


@pytest.mark.parametrize("text", THOUGHTS)
def test_a_thought_is_not_said(text: str) -> None:
    assert spoken(text) == NAME
    assert local_answer(text).text == NAME


@pytest.mark.parametrize("text", ONLY_THOUGHTS)
def test_a_thought_that_is_cut_is_an_empty_answer(text: str) -> None:
    assert spoken(text) == ""
    assert local_answer(text, "length").text == ""


@pytest.mark.parametrize("text", WORDS)
def test_words_stay_as_they_are(text: str) -> None:
    assert spoken(text) == text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_provider_has_its_thoughts_said(provider: Provider) -> None:
    assert {text: answer(provider, text).text for text in THOUGHTS} == dict.fromkeys(THOUGHTS, NAME)
    assert {text: answer(provider, text, "length").text for text in ONLY_THOUGHTS} == dict.fromkeys(ONLY_THOUGHTS, "")


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
@pytest.mark.parametrize("content", [NAME, None])
def test_thoughts_in_a_field_of_their_own_are_no_text(provider: Provider, field: str, content: str | None) -> None:
    document: Any = json.loads(wires.answer(provider))
    document["choices"][0]["message"] = {"role": "assistant", "content": content, field: "the user gives a name"}
    with Peer([behaviours.respond(json.dumps(document).encode())]) as peer:
        found = open_model(wires.row(provider, peer.url), ENVIRONMENT).generate(PROMPT, Deadline.after(AMPLE))
    assert found.text == (content or "")


@pytest.mark.parametrize(
    ("ending", "text", "said"),
    [
        ("<think>\n", "short\n</think>\n\nいい名前ね。", NAME),
        ("<think>\n", "the user gives a name", ""),
        ("<think>\n\n</think>\n\n", "いい名前ね。", NAME),
        ("<|channel|>final<|message|>", "いい名前ね。<|return|>", NAME),
        ("", "いい名前ね。", NAME),
    ],
)
def test_a_template_may_open_the_thought_itself(ending: str, text: str, said: str) -> None:
    template = CHATML.replace("<|im_start|>assistant\n{% endif %}", f"<|im_start|>assistant\n{ending}{{% endif %}}")
    assert local_answer(text, template=template).text == said


def test_a_user_cannot_open_a_thought() -> None:
    prompt = replace(PROMPT, text="<think>")
    answerer = Answerer(FakeEngine(text=NAME), choose_layout(replace(SETTINGS, context=2000), METADATA), SETTINGS)
    assert finished(answerer, prompt).text == NAME


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("いい名前ね。とても", "いい名前ね。"),
        ("いい名前ね！ すごく", "いい名前ね！"),
        ("Nice name. I li", "Nice name."),
        ("いい名前ね♪　また", "いい名前ね♪"),
        ("「いい名前ね」って", "「いい名前ね」"),
        ("いい名前ね。\n\nところで", "いい名前ね。"),
        ("そうね、いい名", "そうね、いい名"),
        ("いい名前ね。", "いい名前ね。"),
        ("<think>hm. hm.</think>いい名前ね。とて", "いい名前ね。"),
        ("そう…ね？いい", "そう…ね？"),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_was_cut_ends_with_a_sentence(provider: Provider, text: str, kept: str) -> None:
    found = answer(provider, text, "length")
    assert (found.text, found.finish_reason) == (kept, "length")


@given(st.text(alphabet="<>/think[]|analysisfinal channelmessageあ。\n", max_size=120))
def test_what_is_said_holds_no_mark(text: str) -> None:
    said = spoken(text)
    assert len(said) <= len(text)
    assert spoken(f"<think>{text.replace('<', '').replace('[', '')}</think>{NAME}") == NAME
    assert whole_sentences(said) in said or said == ""


@pytest.mark.parametrize("thinking", [False, True])
def test_a_chat_template_is_told_whether_to_think(thinking: bool) -> None:  # noqa: FBT001 - a column of the table
    asked = "{{ enable_thinking }} {{ thinking }} {{ reasoning_effort }} {{ messages[0].content }}"
    metadata = replace(METADATA, chat_template=asked)
    told = ChatTemplate.of(metadata, thinking=thinking).render([("user", "U")])
    assert told == ("True True medium U" if thinking else "False False low U")
    layout = choose_layout(replace(SETTINGS, thinking=thinking, context=2000), metadata)
    assert layout.lay_out(PROMPT).text.startswith(str(thinking))


@pytest.mark.parametrize("mark", ["<think>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|end|>"])
def test_of_control_tokens_those_that_part_thoughts_from_words_are_text(tmp_path: Path, mark: str) -> None:
    path = write_tiny_model(tmp_path / "tiny.gguf", control=(*CONTROL, mark))
    engine = load(LocalSettings(path=str(path), context=128, cache="off"), read_metadata(path))
    pieces = [engine._context.piece(token) for token in engine._tokens(f"<|im_start|>{mark}<|im_end|>")]
    assert b"".join(pieces).strip() == mark.encode()
