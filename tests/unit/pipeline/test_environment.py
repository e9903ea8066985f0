import pytest

from engine.core.source import EnvRef, Located, Span
from engine.pipeline.bind import bind_model
from engine.pipeline.compile import declare_model
from engine.pipeline.environment import VARIABLES, resolve, values
from engine.pipeline.spec import ModelSpec

SPAN = Span(file="p.yml", line=1, column=1, end_line=1, end_column=2)


def ref(name, default):
    return EnvRef(name=name, default=default, has_default=True)


def model(**settings):
    backend = settings.pop("backend", "auto")
    return ModelSpec(
        id=Located(value="small", span=SPAN),
        backend=Located(value=backend, span=SPAN),
        settings={key: Located(value=value, span=SPAN) for key, value in settings.items()},
        span=SPAN,
    )


@pytest.mark.parametrize(
    ("name", "default", "text", "value"),
    [
        ("LOCAL_LLM_MAX_TOKENS", 256, "64", 64),
        ("LOCAL_LLM_MAX_TOKENS", 256, "", 256),
        ("LOCAL_LLM_TEMPERATURE", 0.7, " 0 ", 0.0),
        ("USE_LOCAL_LLM", None, "TRUE", True),
        ("USE_LOCAL_LLM", None, "off", False),
        ("MY_NUMBER", 5, "7", 7),
        ("MY_SWITCH", True, "no", False),
        ("MY_TEXT", "a", "7", "7"),
        ("MY_NUMBER", 1, "0.5", 0.5),
    ],
)
def test_a_reference_takes_a_typed_value(name, default, text, value):
    assert resolve(ref(name, default), {name: text}) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("LOCAL_LLM_MAX_TOKENS", "abc", "LOCAL_LLM_MAX_TOKENS is `abc`, it must be a whole number"),
        ("LOCAL_LLM_TEMPERATURE", "warm", "LOCAL_LLM_TEMPERATURE is `warm`, it must be a number"),
        ("USE_LOCAL_LLM", "maybe", "USE_LOCAL_LLM is `maybe`, it must be true or false"),
    ],
)
def test_a_value_that_does_not_fit_names_the_variable_and_the_remedy(name, text, says):
    with pytest.raises(ValueError, match=says):
        resolve(ref(name, 1), {name: text})
    found, notices = values({name: text})
    assert notices == [f"{says}: set it so, or unset it"]
    assert found[name] in {VARIABLES[name].default, False}


def test_a_long_value_that_does_not_fit_may_be_a_password_and_is_not_quoted():
    found, notices = values({"LOCAL_LLM_MAX_TOKENS": "correct-horse"})
    assert found["LOCAL_LLM_MAX_TOKENS"] == 256
    assert notices == ["LOCAL_LLM_MAX_TOKENS is something else and must be a whole number: set it so, or unset it"]


@pytest.mark.parametrize(
    ("default", "text", "what"),
    [(5, "many", "a number"), (0.5, "nan", "a number"), (True, "maybe", "true or false")],
)
def test_an_editors_own_variable_names_the_remedy_too(default, text, what):
    with pytest.raises(ValueError, match=f"MINE is `{text}`, it must be {what}: set it so, or unset it"):
        resolve(ref("MINE", default), {"MINE": text})


def test_a_blank_value_counts_as_not_set():
    assert values({"LOCAL_LLM_MAX_TOKENS": "  "}) == values({})


def test_the_local_model_is_used_when_it_is_named_unless_switched_off():
    assert values({})[0]["USE_LOCAL_LLM"] is False
    assert values({"LOCAL_LLM_MODEL": "a.gguf"})[0]["USE_LOCAL_LLM"] is True
    assert values({"LOCAL_LLM_MODEL": "a.gguf", "USE_LOCAL_LLM": "false"})[0]["USE_LOCAL_LLM"] is False


@pytest.mark.parametrize(
    ("key", "default", "text", "what"),
    [
        ("top_p", 0.9, "9", "a number from 0 to 1"),
        ("top_k", 40, "0.5", "a whole number from 1 to 1000000"),
        ("seed", 1, "-1", "a whole number from 0 to 4294967295"),
        ("style", "auto", "chatty", "auto, chat or raw"),
    ],
)
def test_every_setting_from_the_environment_has_its_bounds(key, default, text, what):
    row = bind_model(declare_model(model(**{key: ref("MINE", default)})), {"MINE": text})
    assert row.misconfigured == f"MINE is `{text}`, it must be {what}: set it so, or unset it"
    assert row.settings == {key: default}


@pytest.mark.parametrize(("text", "value"), [("", None), ("64", 64)])
def test_a_number_without_a_default_may_be_unset_and_is_a_number_where_it_is_set(text, value):
    row = bind_model(declare_model(model(max_tokens=ref("MINE", None))), {"MINE": text})
    assert (row.misconfigured, row.settings) == (None, {"max_tokens": value})


def test_no_secret_can_be_named_in_a_condition():
    assert not {"OPENAI_API_KEY", "BEDROCK_CREDENTIALS", "HUGGINGFACE_TOKEN", "CLIENT_TOKEN"} & set(VARIABLES)


def test_a_model_row_is_resolved():
    row = bind_model(
        declare_model(model(path=ref("LOCAL_LLM_MODEL", ""), max_tokens=64)), {"LOCAL_LLM_MODEL": "a.gguf"}
    )
    assert (row.backend, dict(row.settings), row.misconfigured) == ("auto", {"path": "a.gguf", "max_tokens": 64}, None)


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"LOCAL_LLM_MAX_TOKENS": "abc"}, "LOCAL_LLM_MAX_TOKENS is `abc`, it must be a whole number"),
        ({"LOCAL_LLM_MAX_TOKENS": "0"}, "LOCAL_LLM_MAX_TOKENS is `0`, it must be a whole number from 1 to 32768"),
        ({"LOCAL_LLM_TEMPERATURE": "nan"}, "LOCAL_LLM_TEMPERATURE is `nan`, it must be a number from 0 to 2"),
        ({"LOCAL_LLM_BACKEND": "lama"}, "LOCAL_LLM_BACKEND is `lama`, it must be one of auto"),
    ],
)
def test_a_wrong_setting_makes_the_model_misconfigured_and_keeps_the_defaults(env, says):
    declared = model(
        backend=ref("LOCAL_LLM_BACKEND", "auto"),
        max_tokens=ref("LOCAL_LLM_MAX_TOKENS", 256),
        temperature=ref("LOCAL_LLM_TEMPERATURE", 0.7),
    )
    row = bind_model(declare_model(declared), env)
    assert says in str(row.misconfigured)
    assert (row.backend, dict(row.settings)) == ("auto", {"max_tokens": 256, "temperature": 0.7})
