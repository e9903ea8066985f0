from __future__ import annotations

import pytest

from engine.web.protocol import Limits
from tests.fakes.bots import FakeBot
from tests.fakes.serving import Serving


@pytest.fixture(scope="session")
def standing():
    """A server that tests share which want nothing particular of it."""
    serving = Serving(FakeBot(), None, "127.0.0.1", {})
    yield serving
    serving.server.stop(30)


@pytest.fixture
def serve(standing):
    running: list[Serving] = []

    def start(bot: FakeBot | None = None, limits: Limits | None = None, host: str = "127.0.0.1", **env: str) -> Serving:
        if bot is None and limits is None and host == "127.0.0.1" and not env:
            return standing
        running.append(Serving(bot or FakeBot(), limits, host, env))
        return running[-1]

    yield start
    for serving in running:
        serving.server.stop(30)
