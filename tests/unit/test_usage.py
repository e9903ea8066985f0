"""What a call may cost at most, and what it cost."""

from __future__ import annotations

from engine.core.plan import Limit, Limits, ModelRow
from engine.core.record import replace
from engine.core.turn import Completion
from engine.usage import MOST_TOKENS, cost, missing, most, prices_of
from tests.fakes.plans import generate_step, plan
from tests.faults.stage import PROMPT

ANSWER = Completion(text="ええ。", finish_reason="stop", model="m", prompt_tokens=1000, completion_tokens=50)


def row(**settings):
    return ModelRow(id="large", backend="openai", settings=settings)


def test_no_token_is_shorter_than_a_byte():
    texts = PROMPT.system + PROMPT.text + "".join(one.text for one in PROMPT.history)
    assert most(PROMPT, row(max_tokens=50), (1.0, 0.0)) >= len(texts.encode())
    assert most(PROMPT, row(max_tokens=50), (0.0, 2.0)) == 100
    assert most(PROMPT, row(), (0.0, 1.0)) == MOST_TOKENS


def test_what_an_answer_cost_is_rounded_up():
    assert cost(ANSWER, (0.15, 0.6)) == 180
    assert cost(replace(ANSWER, prompt_tokens=1), (0.15, 0.0)) == 1
    assert cost(replace(ANSWER, prompt_tokens=None), (0.15, 0.6)) is None


def test_models_without_a_price_are_told_where_money_is_bounded():
    bounded = Limits(anonymous=Limit(), user=Limit(), everyone=Limit(external=5))
    of_models = replace(plan(generate_step("ask", "large")), models={"large": row()})
    assert len(list(missing(replace(of_models, limits=bounded), {}))) == 1
    assert list(missing(replace(of_models, limits=bounded), {"large": (1.0, 1.0)})) == []
    assert list(missing(replace(of_models, limits=replace(bounded, everyone=Limit(turns=5))), {})) == []


def test_a_model_costs_what_is_given_or_what_the_pipeline_lists_for_it():
    listed = Limits(
        anonymous=Limit(), user=Limit(), everyone=Limit(external=5), prices={"mini": (1.0, 2.0), "nova:0": (3.0, 4.0)}
    )
    names = {"large": "mini", "dear": "maxi", "bedrock": "apac.nova:0", "plain": "nova:0", "other": "supernova:0"}
    rows = {name: row(model=model) for name, model in names.items()}
    of_models = replace(plan(generate_step("ask", *rows)), models=rows, limits=listed)
    found = prices_of(of_models, {"dear": (9.0, 9.0)})
    assert found == {"large": (1.0, 2.0), "dear": (9.0, 9.0), "bedrock": (3.0, 4.0), "plain": (3.0, 4.0)}
    assert prices_of(of_models, {"large": (0.0, 0.0)})["large"] == (0.0, 0.0)
    assert ["other" in told for told in missing(of_models, found)] == [True]
