"""Credentials that must be renewed before a request is signed. The rest of the adapter is in test_external."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import TimedOut, Unavailable
from engine.models.providers.bedrock import renew
from engine.models.registry import open_model
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, Peer
from tests.faults.stage import PROMPT

AMPLE = 20.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Due for renewal, which does what it is told."""

    get_frozen_credentials: Callable[[], Any]
    due: bool = True

    def refresh_needed(self) -> bool:
        return self.due


def container(key: str, minutes: float) -> Behaviour:
    """What a container's credential endpoint says."""
    expiry = datetime.now(UTC) + timedelta(minutes=minutes)
    document = {
        "AccessKeyId": key,
        "SecretAccessKey": "made-up",
        "Token": "made-up",
        "Expiration": expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return behaviours.respond(json.dumps(document).encode())


def test_credentials_about_to_expire_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Peer([container("AKIDOLD", 5), container("AKIDNEW", 300)]) as endpoint,
        Peer([behaviours.respond(wires.answer("bedrock"))]) as peer,
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{endpoint.url}/credentials")
        model = open_model(wires.row("bedrock", peer.url), {})
        for _ in range(2):
            model.generate(PROMPT, Deadline.after(AMPLE))
    assert ["Credential=AKIDNEW/" in received.headers["authorization"] for received in peer.received] == [True, True]
    assert endpoint.accepted == 2


def test_a_renewal_that_hangs_is_left_at_the_deadline() -> None:
    release = threading.Event()
    with pytest.raises(TimedOut):
        renew(Credentials(release.wait), Deadline.after(0.05), ())
    release.set()


def test_a_renewal_that_fails_is_unavailable() -> None:
    def fail() -> None:
        raise KeyError("the key itself")

    with pytest.raises(Unavailable) as caught:
        renew(Credentials(fail), Deadline.after(AMPLE), (KeyError,))
    assert (str(caught.value), caught.value.retryable) == ("the AWS credentials cannot be renewed", True)


@pytest.mark.parametrize("lasting", [None, object(), Credentials(lambda: 1 / 0, due=False)])
def test_what_lasts_is_left_alone(lasting: object) -> None:
    renew(lasting, Deadline.after(AMPLE), ())
