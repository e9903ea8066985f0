from engine.chat.prepare import prepare_models
from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.errors import Unavailable
from engine.core.turn import Prompt
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, generate_step, plan, services, turn


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
