"""The API keeps its own description: generated requests find no 5xx and no answer that openapi.json does not allow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.web.app import create_app
from tests.desk.office import Office

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


EXAMPLES = 12


@pytest.fixture(params=["ines", "maya"])
def described(office: Office, request: pytest.FixtureRequest) -> Iterator[BaseSchema]:
    """Give the description of a firm with one open question, asked for by an administrator's program and a user's."""
    office.the_scene()
    token = tokens.create(office.app, OPERATOR, request.param, "schema").token
    host = {"Host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(office.app), headers=host)
    schema.config.headers = {"Authorization": f"Bearer {token}", **host}
    yield schema


def test_every_operation_keeps_its_description(described: BaseSchema) -> None:
    """No server error, and every status, content type and body as described, whatever is sent."""
    broken: list[str] = []
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()
        tried += 1

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        def keeps(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS)

        try:
            keeps()
        except (FailureGroup, Failure, ExceptionGroup) as failure:
            inside = getattr(failure, "exceptions", ())
            broken.append("\n".join([f"{operation.label}: {failure}", *(f"{one!r}" for one in inside)]))
    assert tried > 30
    assert broken == [], "\n\n".join(broken)
