from __future__ import annotations

from engine.chat.models import Models, prepare_models
from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.errors import Unavailable
from engine.core.plan import ModelRow
from engine.core.record import replace
from engine.core.turn import Prompt
from engine.resilience.guarded import GuardedModel
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, generate_step, plan, services, turn

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


class EagerModel(FakeModel):
    """One that remembers what it was told to get ready for."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.prepared: list[Prompt] = []

    def prepare(self, prompt: Prompt) -> None:
        self.prepared.append(prompt)


def test_local_models_learn_the_prompt_before_the_first_turn_and_external_ones_do_not():
    small, large = EagerModel("x", engine="local"), EagerModel("x")
    prepare_models(plan(generate_step("talk", "a", "b")), turn(""), services(a=small, b=large))
    assert [prompt.system for prompt in small.prepared] == ["あなたは美砂樹。"]
    assert large.prepared == []


def test_a_model_that_cannot_get_ready_is_left_alone():
    prepare_models(plan(generate_step("talk", "a")), turn(""), services(a=FakeModel("x", engine="local")))


def test_a_model_that_the_environment_switches_off_is_not_there():
    prepare_models(plan(generate_step("talk", "a")), turn(""), services())


def test_while_one_model_is_asked_the_next_available_one_gets_ready():
    gone = Unavailable("gone", backend="x")
    models = {
        "a": FakeModel(gone),
        "off": EagerModel(gone, available=False),
        "b": EagerModel(gone),
        "c": EagerModel("はい。"),
    }
    the_plan = plan(generate_step("small", "a"), generate_step("large", "off", "b", "c"))
    run_steps(the_plan, turn("猫でね"), services(**models), Deadline.after(7.5, FakeClock()))
    assert len(models["off"].prepared) == 0
    assert len(models["b"].prepared) == 2
    assert len(models["c"].prepared) == 1
