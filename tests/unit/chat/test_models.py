from engine.chat.models import Models
from engine.core.plan import ModelRow
from engine.core.record import replace
from engine.resilience.guarded import GuardedModel
from tests.fakes.plans import FakeModel, generate_step, plan

ROWS = {
    "near": ModelRow(id="near", backend="scripted", settings={}),
    "one": ModelRow(id="one", backend="openai", settings={"model": "m"}),
    "two": ModelRow(id="two", backend="huggingface", settings={"model": "m"}),
    "off": ModelRow(id="off", backend="openai", settings={"model": "m"}),
}
PLAN = replace(
    plan(generate_step("ask", "near", "one", "two"), generate_step("never", "off", when="false")), models=ROWS
)


def opened_by(*names):
    """The models that were opened after asking for `names`, in order."""
    opened = []

    def note(name, model):
        opened.append(name)
        return model

    models = Models(PLAN, {}, note)
    return models, opened, [models[name] for name in names]


def test_a_model_that_no_step_asks_is_not_there():
    assert list(Models(PLAN, {})) == ["near", "one", "two"]


def test_a_model_is_opened_when_it_is_first_asked_for_and_once():
    _, opened, (first, second, _) = opened_by("one", "one", "near")
    assert first is second
    assert opened == ["one", "near"]


def test_only_models_on_this_machine_are_started():
    models, opened, _ = opened_by()
    assert models.start_local()
    assert opened == ["near"]


def test_those_that_were_opened_are_closed():
    closed = []

    class Closing(FakeModel):
        def close(self):
            closed.append(self)

    models = Models(PLAN, {}, lambda _, __: Closing("x"))
    near, one = models["near"], models["one"]
    models.close()
    assert closed == [near, one]


def test_whether_there_are_any_is_told():
    external = replace(plan(generate_step("ask", "one")), models=ROWS)
    assert not Models(external, {}).start_local()


def test_external_models_stand_behind_a_guard_and_share_one_budget_of_retries():
    _, _, (near, one, two) = opened_by("near", "one", "two")
    assert not isinstance(near, GuardedModel)
    assert isinstance(one, GuardedModel)
    assert isinstance(two, GuardedModel)
    assert one._retries is two._retries
    assert one._breaker is not two._breaker
