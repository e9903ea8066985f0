from functools import reduce

import pytest

from engine.core.deadline import Deadline
from engine.core.expression import Template
from engine.expressions.scope import condition_scope, template_scope
from engine.templates import TemplateRenderer
from engine.templates.grammar import check_template, is_constant
from engine.templates.sandbox import LEAST_SECONDS, MAX_OUTPUT, MAX_SECONDS, Budget
from tests.fakes.clock import FakeClock

SCOPE = template_scope(
    condition_scope({"USE_LOCAL_LLM"}, {"lang"}),
    {"name": "x", "traits": ["x"], "examples": [], "bar": {"opens": "19"}},
)


def template(source: str) -> Template:
    return Template(source=source, origin="replies.yml:3:9", constant=is_constant(source))


@pytest.mark.parametrize(
    "source",
    [
        "いらっしゃい",
        "{{ persona.name }}よ。もう{{ now.hour }}時ね。",
        "{% for trait in persona.traits %}{{ loop.index }}. {{ trait.label }}\n{% endfor %}",
        "{{ persona.traits | join('、') }}",
        "{% if client.name is defined %}{{ client.name }}さん{% else %}あなた{% endif %}",
        "{{ text | trim | upper }}",
        "{{ text | trim('。') | default('なし', true) }}",
        "{{ client.n | round(1) }}{{ client.n | round(method='floor', precision=0) | int(default=3) }}",
        "{{ client.n | default(text) }}",
        "{% if text in ('a', 'b') %}{{ persona.traits | join }}{% endif %}",
        "{% for key, value in persona.bar %}{{ key }}{% endfor %}",
        "{{ " + "(" * 20 + "1" + ")" * 20 + " }}",
    ],
)
def test_what_editors_need_is_allowed(source):
    assert check_template(source, SCOPE) == []


@pytest.mark.parametrize(
    ("source", "kind", "line", "word"),
    [
        ("{{ persona.nmae }}", "name", 1, "persona.nmae"),
        ("一行目\n{{ persna.name }}", "name", 2, "persna.name"),
        ("{{ x", "syntax", 1, ""),
        ("一\n二\n{% if %}", "syntax", 3, ""),
        ("{{ text | centre }}", "construct", 1, "centre"),
        ("{{ text | center(100000000) }}", "construct", 1, "center"),
        ("{{ 10 ** 30000000 }}", "construct", 1, ""),
        ("{{ range(10) }}", "construct", 1, ""),
        ("{% set a = text %}", "construct", 1, ""),
        ("{% include 'other' %}", "construct", 1, ""),
        ("{{ persona.traits.__class__ }}", "construct", 1, "__class__"),
        ("{{ ''.__class__ }}", "construct", 1, "__class__"),
        ("{% for x in persona.traits %}{{ x.__class__ }}{% endfor %}", "construct", 1, "__class__"),
        ("{{ text | join(text) }}", "construct", 1, "join"),
        ("{{ (text ~ text) | join('') }}", "construct", 1, "join"),
        ("{{ text is callable }}", "construct", 1, "callable"),
        (
            "{% for a in text %}{% for b in text %}{% for c in text %}x{% endfor %}{% endfor %}{% endfor %}",
            "construct",
            1,
            "",
        ),
        ("{% for a in text %}{{ a }}{% endfor %}{{ a }}", "name", 1, "a"),
        ("{% for a in a %}{{ a }}{% endfor %}", "name", 1, "a"),
        ("{% for persona in persona.triats %}{{ persona }}{% endfor %}", "name", 1, "persona.triats"),
        ("{{ client.n | round(client.d) }}", "construct", 1, "round"),
        ("{{ client.n | round(-99999999) }}", "construct", 1, "round"),
        ("{{ client.n | round(precision=client.d) }}", "construct", 1, "round"),
        ("{{ client.n | round(*client.list) }}", "construct", 1, "round"),
        ("{{ client.n | round(**client) }}", "construct", 1, "round"),
        ("{{ client.n | round(99999) }}", "construct", 1, "round"),
        ("{{ text | trim(text) }}", "construct", 1, "trim"),
        ("{{ text | int(0, client.base) }}", "construct", 1, "int"),
        ("{{ text | default(text, client.flag) }}", "construct", 1, "default"),
        ("{{ text | join('x', attribute=text) }}", "construct", 1, "join"),
        ("{{ text | upper(1) }}", "construct", 1, "upper"),
        ("{{ [text, text] }}", "construct", 1, ""),
        ("{{ text in (text, text) }}", "construct", 1, ""),
        ("あ\n{{ " + "(" * 100 + "1" + ")" * 100 + " }}", "syntax", 2, ""),
        ("{{ " + "+".join("1" * 1500) + " }}", "syntax", 1, ""),
        ("{{ " + "not " * 900 + "1 }}", "syntax", 1, ""),
        ("{{ " + "not " * 300 + "1 }}", "syntax", 1, ""),
        ("{% if text %}" * 150 + "{% endif %}" * 150, "syntax", 1, ""),
        ("{% if text %}a" + "{% elif text == 'a' %}b" * 900 + "{% endif %}", "construct", 1, ""),
        ("{{ text }}" * 2000, "construct", 1, ""),
        ("{{ " + "1" * 5000 + " }}", "construct", 1, ""),
        ("あ\n{{ 0x" + "f" * 5000 + " }}", "construct", 2, ""),
        ("{{ 1e999 }}", "construct", 1, ""),
        ("{{ text }}" * 20_000, "construct", 1, ""),
    ],
)
def test_a_mistake_is_found_on_its_line(source, kind, line, word):
    mistakes = check_template(source, SCOPE)
    assert (mistakes[0].kind, mistakes[0].line, mistakes[0].word) == (kind, line, word)


def test_a_constant_text_is_given_back_as_it_is():
    assert TemplateRenderer().render(template("100%よ、{ね}"), {}) == "100%よ、{ね}"


def test_names_are_filled_in():
    rendered = TemplateRenderer().render(template("{{ persona.name }}よ"), {"persona": {"name": "美砂樹"}})
    assert rendered == "美砂樹よ"


def test_user_text_is_data_and_never_a_template():
    rendered = TemplateRenderer().render(template("「{{ text }}」"), {"text": "{{ persona.name }}{% raw %}"})
    assert rendered == "「{{ persona.name }}{% raw %}」"


def test_an_absent_value_is_an_error_that_names_the_place():
    with pytest.raises(ValueError, match=r"replies\.yml:3:9: template failed"):
        TemplateRenderer().render(template("{{ client.name }}"), {"client": {}})


def test_output_is_bounded():
    nested = "{% for a in text %}{% for b in text %}{{ text }}{% endfor %}{% endfor %}"
    with pytest.raises(ValueError, match=f"grew past {MAX_OUTPUT}"):
        TemplateRenderer().render(template(nested), {"text": "あ" * 4000})


def test_multiplying_a_text_is_refused_before_it_grows():
    with pytest.raises(ValueError, match="works on numbers only"):
        TemplateRenderer().render(template("{{ text * 1000000000 }}"), {"text": "あ"})


def test_every_level_of_the_persona_is_known():
    assert check_template("{{ persona.bar.opens }}", SCOPE) == []
    mistake = check_template("{{ persona.bar.opns }}", SCOPE)[0]
    assert (mistake.word, mistake.hint) == ("persona.bar.opns", "did you mean `persona.bar.opens`?")


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in text %}{% for b in text %}{% if a == 'x' %}{{ b }}{% endif %}{% endfor %}{% endfor %}",
        "{% for a in text %}{% for b in text if b == 'x' %}{{ b }}{% endfor %}{% endfor %}",
        "{% for _budget in text %}{% for b in text %}{% if b == 'x' %}{{ b }}{% endif %}{% endfor %}{% endfor %}",
        "{% for a in text %}{% for b in text | join('--------------------') %}{% endfor %}{% endfor %}",
    ],
)
def test_loops_are_counted_together(source):
    assert check_template(source, SCOPE) == []
    with pytest.raises(ValueError, match=r"replies\.yml:3:9: template loops more than 10,000 times"):
        TemplateRenderer().render(template(source), {"text": "あ" * 4000})


def test_a_loop_knows_where_it_is():
    source = (
        "{% for a in text %}{{ loop.index }}/{{ loop.length }}{{ a }}{% if not loop.last %},{% endif %}{% endfor %}"
    )
    assert TemplateRenderer().render(template(source), {"text": "あい"}) == "1/2あ,2/2い"


def test_a_template_ends_at_the_deadline_unless_it_needs_no_time():
    clock, processor = FakeClock(), FakeClock()
    budget = Budget(Deadline.after(5, clock), processor)
    for _ in range(3):
        budget.turn()
    clock.advance(6)
    budget.turn()
    processor.advance(LEAST_SECONDS * 2)
    with pytest.raises(ValueError, match="took too long"):
        budget.turn()


def test_a_template_has_a_share_of_the_processor_whatever_the_deadline():
    processor = FakeClock()
    budget = Budget(None, processor)
    processor.advance(MAX_SECONDS)
    budget.turn()
    processor.advance(0.01)
    with pytest.raises(ValueError, match="took too long"):
        budget.look()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ client.n * client.n }}", {"client": {"n": 10**400}}),
        ("{{ -client.n - client.n }}", {"client": {"n": 10**4000}}),
        ("{{ client.n % 2 }}", {"client": {"n": "%999999999d"}}),
        ("{{ client.a + client.a }}", {"client": {"a": [1, 2]}}),
        ("{{ text ~ text ~ text }}", {"text": "あ" * 40_000}),
        ("{{ text + text + text }}", {"text": "あ" * 40_000}),
        ("{{ client.deep }}", {"client": {"deep": reduce(lambda inner, _: [inner], range(100_000), [])}}),
        ("{{ client.n }}", {"client": {"n": 10**5000}}),
    ],
)
def test_large_values_are_an_error_of_the_template(source, names):
    with pytest.raises(ValueError, match=r"replies\.yml:3:9: template "):
        TemplateRenderer().render(template(source), names)


@pytest.mark.parametrize(("test", "expected"), [("odd", "no"), ("even", "no")])
def test_a_text_is_neither_odd_nor_even(test, expected):
    """`%` on a text would format it: here into a gigabyte."""
    source = f"{{% if text is {test} %}}yes{{% else %}}no{{% endif %}}"
    assert TemplateRenderer().render(template(source), {"text": "%999999999d"}) == expected


@pytest.mark.parametrize(
    "source", ["{{ client.name.upper }}", "{{ client.items }}", "{{ client['keys'] }}", "{{ client.list.append }}"]
)
def test_an_attribute_is_an_entry_and_never_a_method(source):
    with pytest.raises(ValueError, match="template failed"):
        TemplateRenderer().render(template(source), {"client": {"name": "x", "list": []}})
    assert TemplateRenderer().render(template("{{ client.items }}"), {"client": {"items": 3}}) == "3"


def test_what_python_cannot_compile_is_an_error_of_the_template():
    with pytest.raises(ValueError, match=r"replies\.yml:3:9: template failed"):
        TemplateRenderer().render(template("{% if text %}" * 150 + "{% endif %}" * 150), {"text": "a"})
    with pytest.raises(ValueError, match=r"replies\.yml:3:9: template failed"):
        TemplateRenderer().render(template("{{ " + "1+" * 3000 + "1 }}"), {})
