"""The OpenAPI file, and the running application held against it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from portal.settings import Settings
from portal.web.access import Access
from tests.web.conftest import Site
from tests.web.programs import Program, make_secret
from tests.web.routes import routes

few = examples(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Wrong tokens are tried here by the dozen, and each is to be refused as the file says."""
    return make_settings(sign_in_failures=100_000)


def file_of(site: Site) -> Any:
    response = Program(site.app, None).get("/api/openapi.json")
    assert response.status_code == 200
    return json.loads(response.data)


def test_every_route_of_programs_is_in_the_file_with_its_scope(site: Site) -> None:
    paths = file_of(site)["paths"]
    wrong = []
    for route in routes(site.app):
        if not route.rule.startswith("/api/"):
            continue
        path = route.rule.replace("<int:", "<").replace("<", "{").replace(">", "}")
        told = paths.get(path, {}).get(route.method.lower())
        needs = [] if route.needs is Access.PUBLIC else [{"token": [str(route.needs)]}]
        if told is None or told["security"] != needs:
            wrong.append(str(route))
    assert wrong == []


def test_the_application_does_what_the_file_says(site: Site) -> None:
    secret = make_secret(site.runtime, site.people["owner"])
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", site.app)
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        asked.append(operation.label)

        @few
        @given(case=operation.as_strategy(), there=st.booleans())
        def holds(case: Case, there: bool) -> None:
            if there:
                case.path_parameters = {name: site.addresses[name] for name in case.path_parameters}
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})

        holds()
    assert len(asked) == len(set(asked)) >= 5


def test_the_application_refuses_what_the_file_does_not_allow(site: Site) -> None:
    secret = make_secret(site.runtime, site.people["owner"])
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", site.app)
    wrong = schema["/api/jobs"]["GET"].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    statuses = set()

    @few
    @given(case=wrong)
    def holds(case: Case) -> None:
        response = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
        statuses.add(response.status_code)

    holds()
    assert 422 in statuses
