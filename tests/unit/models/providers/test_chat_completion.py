from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.errors import Malformed
from engine.core.turn import Exchange, Labels, Message, Prompt
from engine.models.providers.chat_completion import completion, conversation, with_system
from engine.models.providers.row import Settings

SETTINGS = Settings(model="m")


def prompt(*history: Message, system: str = "be kind", text: str = "こんばんは") -> Prompt:
    examples = (Exchange("疲れた", "おかえり。"), Exchange("寒い", "温かいものを。"))
    return Prompt(system=system, examples=examples, history=history, text=text, labels=Labels("客", "店"))


def said(messages: list[Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


def answer(**changes: object) -> Any:
    choice = {"message": SimpleNamespace(content="あら。"), "finish_reason": "stop", **changes}
    return SimpleNamespace(choices=[SimpleNamespace(**choice)], usage=None)


def scored(*logprobs: object) -> Any:
    return SimpleNamespace(content=[SimpleNamespace(logprob=value) for value in logprobs])


def test_system_examples_history_text() -> None:
    messages = with_system(prompt(Message("user", "やあ"), Message("assistant", "あら。")), examples=1)
    assert said(messages) == [
        ("system", "be kind"),
        ("user", "疲れた"),
        ("assistant", "おかえり。"),
        ("user", "やあ"),
        ("assistant", "あら。"),
        ("user", "こんばんは"),
    ]


def test_no_system_text_sends_none() -> None:
    assert said(with_system(prompt(system=" "), examples=0)) == [("user", "こんばんは")]


def test_roles_alternate_from_a_user_on() -> None:
    history = [
        Message("assistant", "いらっしゃい。"),
        Message("user", "やあ"),
        Message("user", " "),
        Message("user", "元気？"),
        Message("assistant", "ええ。"),
        Message("user", "よかった"),
    ]
    assert said(conversation(prompt(*history), examples=0)) == [
        ("user", "やあ\n元気？"),
        ("assistant", "ええ。"),
        ("user", "よかった\nこんばんは"),
    ]


WORDS = {
    "stop": (
        "stop",
        "eos",
        "eos_token",
        "end",
        "",
        None,
        "STOP",
        "end_turn",
        "stop_sequence",
        "tool_calls",
        "COMPLETE",
        5,
    ),
    "length": ("length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded", "error"),
    "refusal": ("content_filter", "content-filter", "CONTENT_FILTERED", "guardrail_intervened", "SAFETY", "refusal"),
}


@pytest.mark.parametrize(("told", "reason"), [(told, reason) for reason, words in WORDS.items() for told in words])
def test_the_text_decides_and_no_closed_list_of_words(told: object, reason: str) -> None:
    found = completion(answer(finish_reason=told), SETTINGS, "b")
    assert (found.text, found.finish_reason) == ("あら。", reason)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], ""),
        (["あら。"], "あら。"),
        ([{"type": "text", "text": "あら。"}], "あら。"),
        ([{"text": "あら"}, {"text": "。"}], "あら。"),
        ([{"type": "output_text", "text": "あら。"}], "あら。"),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "あら。"}],
            "あら。",
        ),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "あら。"}], "あら。"),
        ([{"type": "reasoning", "text": "hm"}], ""),
        ([{"type": "text", "text": None}, {"type": "text", "text": "あら。"}], "あら。"),
        ([SimpleNamespace(type="text", text="あら。"), SimpleNamespace(type="refusal", refusal="no")], "あら。"),
        ([{"type": "image_url", "image_url": {"url": "data:x"}}, {"type": "text", "text": "あら。"}], "あら。"),
        ([{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "あら。"}], "あら。"),
    ],
)
def test_content_in_parts_is_its_text(content: object, text: str) -> None:
    assert completion(answer(message=SimpleNamespace(content=content)), SETTINGS, "b").text == text


def test_a_system_text_may_stand_in_the_first_message_of_the_user() -> None:
    messages = with_system(prompt(Message("user", "やあ"), Message("assistant", "あら。")), examples=0, apart=False)
    assert said(messages) == [("user", "be kind\n\nやあ"), ("assistant", "あら。"), ("user", "こんばんは")]


@pytest.mark.parametrize("content", [None, ""])
def test_an_empty_answer_stays_empty(content: str | None) -> None:
    found = completion(answer(message=SimpleNamespace(content=content)), SETTINGS, "b")
    assert (found.text, found.finish_reason) == ("", "stop")


def test_a_refusal_of_the_model_itself() -> None:
    message = SimpleNamespace(content=None, refusal="I cannot help with that.")
    found = completion(answer(message=message), SETTINGS, "b")
    assert (found.text, found.finish_reason) == ("I cannot help with that.", "refusal")


@pytest.mark.parametrize(
    "broken",
    [
        None,
        SimpleNamespace(choices=None),
        SimpleNamespace(choices=[]),
        SimpleNamespace(choices={"a": 1}),
        answer(message=None),
        answer(message=SimpleNamespace(content=5)),
        answer(message=SimpleNamespace(content=[5])),
        answer(message=SimpleNamespace(content={"text": "あら。"})),
    ],
)
def test_another_shape_is_malformed(broken: object) -> None:
    with pytest.raises(Malformed):
        completion(broken, SETTINGS, "b")


def test_usage_counts_only_where_it_is_a_count() -> None:
    whole = answer()
    whole.usage = SimpleNamespace(prompt_tokens=5, completion_tokens="many")
    found = completion(whole, SETTINGS, "b")
    assert (found.prompt_tokens, found.completion_tokens) == (5, None)


def confidence(logprobs: object) -> float | None:
    whole = answer()
    whole.choices[0].logprobs = logprobs
    return completion(whole, SETTINGS, "b").confidence


def test_confidence_is_the_geometric_mean() -> None:
    assert confidence(scored(math.log(0.5), math.log(0.125))) == pytest.approx(0.25)
    assert confidence(scored(0.0, float("-inf"))) == 0.0


@pytest.mark.parametrize("nothing", [None, SimpleNamespace(content=None), scored(), scored(None), scored(float("nan"))])
def test_no_numbers_give_no_confidence(nothing: object) -> None:
    assert confidence(nothing) is None
