import threading

from engine.cli.watch import watch_models


def watched(*states: dict[str, tuple[str, str]]) -> list[str]:
    looks = iter(states)

    def health() -> dict:
        return {"models": {name: {"state": state, "detail": detail} for name, (state, detail) in next(looks).items()}}

    said: list[str] = []
    watch_models(health, threading.Event(), said.append, interval=0)
    return said


def test_each_state_is_said_once_until_nothing_loads():
    said = watched(
        {"small": ("loading", "a.gguf"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
        {"small": ("loading", "a.gguf"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
        {"small": ("ready", "a.gguf with llama.cpp"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
    )
    assert said[:2] == ["  model small is loading: a.gguf", "  model openai is unavailable: OPENAI_API_KEY is not set"]
    assert said[2].startswith("  model small is ready after ")
    assert len(said) == 3


def test_a_stop_ends_the_watch():
    stop = threading.Event()
    stop.set()
    said: list[str] = []
    watch_models(lambda: {"models": {"small": {"state": "loading", "detail": ""}}}, stop, said.append)
    assert said == ["  model small is loading"]
