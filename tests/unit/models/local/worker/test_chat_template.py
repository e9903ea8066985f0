from __future__ import annotations

from dataclasses import replace

import pytest

from engine.models.local.worker.chat_template import ChatTemplate, TemplateError
from engine.models.local.worker.gguf import Metadata
from tests.models import CHATML, NO_SYSTEM

METADATA = Metadata(
    architecture="llama",
    name="Tiny",
    context=512,
    chat_template=CHATML,
    bos="<s>",
    eos="</s>",
    adds_bos=True,
    control_tokens=frozenset({"<|im_start|>", "<|im_end|>"}),
)


def of(template: str) -> ChatTemplate:
    return ChatTemplate.of(replace(METADATA, chat_template=template))


def test_messages_become_text():
    text = of(CHATML).render([("system", "S"), ("user", "U")])
    assert text == "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n"


def test_what_stands_between_the_messages_is_known():
    assert any("<|im_start|>assistant" in fragment for fragment in of(CHATML).fragments)


def test_a_template_may_refuse_a_system_message():
    assert of(CHATML).takes_system
    assert not of(NO_SYSTEM).takes_system


def test_what_a_template_writes_as_json_stays_readable():
    assert of("{{ messages[0] | tojson }}").render([("user", "やあ")]) == '{"role": "user", "content": "やあ"}'


def test_the_special_tokens_are_at_hand():
    assert of("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}").render([("user", "U")]) == "<s>U</s>"


@pytest.mark.parametrize(
    "template",
    [
        "{% for %}",
        "{{ nothing.here }}",
        "{{ raise_exception('never') }}",
        "{{ 1 // 0 }}",
        "{{ messages[99]['role'] }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    ],
)
def test_a_template_that_does_not_work_is_one_kind_of_error(template):
    with pytest.raises(TemplateError, match="chat template"):
        of(template)
