import pytest

from engine.model.expression import Template
from engine.prompts.grammar import check_template, is_constant
from engine.prompts.render import MAX_OUTPUT, TemplateRenderer
from engine.prompts.scope import template_scope

SCOPE = template_scope(
    {"USE_LOCAL_LLM"}, {"lang"}, {"name": "x", "traits": ["x"], "examples": [], "bar": {"opens": "19"}}
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
        "{% if user.name is defined %}{{ user.name }}さん{% else %}あなた{% endif %}",
        "{{ text | trim | upper }}",
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
        TemplateRenderer().render(template("{{ user.name }}"), {"user": {}})


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
