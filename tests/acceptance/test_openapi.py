"""The running server keeps what its OpenAPI document promises, whatever requests schemathesis makes up."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from engine.api.policy import Policy
from engine.api.routes import ROUTES
from engine.web.access import Access
from engine.web.app import Hosted
from engine.web.server import WebServer
from tests.unit.api.test_rooms import USERS, FakeGate, House

EXAMPLES = 40
CALLS = [(route, mode) for mode in GenerationMode for route in ROUTES if mode.is_positive or route.takes or route.query]
"""What has neither a body nor a query has nothing that could be wrong."""
KEPT = [
    not_a_server_error,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
    checks.unsupported_method,
]


@pytest.fixture(scope="module")
def server():
    house = House()
    hosted = Hosted(
        service=house.service,
        invoke=lambda event, _id: event,
        policy=Policy(gate=FakeGate()),
        access=Access(host="127.0.0.1"),
    )
    running = WebServer(("127.0.0.1", 0), hosted)
    running.start()
    yield running
    running.stop(1.0)
    house.app.close()


@pytest.fixture(scope="module")
def document(server):
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.mark.parametrize(("route", "mode"), CALLS, ids=lambda one: getattr(one, "name", one))
def test_a_call_answers_as_its_document_says(document, route, mode):
    @given(
        case=document[route.path][route.method].as_strategy(generation_mode=mode), who=st.sampled_from([*USERS, None])
    )
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def answers(case, who):
        case.call_and_validate(headers={"Authorization": f"Bearer {who}"} if who else {}, checks=KEPT)

    answers()
