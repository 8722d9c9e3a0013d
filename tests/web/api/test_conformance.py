"""The running API does what its OpenAPI document says: generated requests, valid and invalid."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from service.store.database import Database
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.web.api.conftest import ApiSite, api_sites

EXAMPLES = 15  # of each operation and kind
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
MINUTE = timedelta(minutes=1)
BODIES: dict[str, dict[str, object]] = {
    "POST /sends": {"newsletter": "morning", "to": ["ben@example.org"], "again": True},
    "POST /sends/preview": {"newsletter": "morning", "all": True, "again": True},
    "POST /subscribers": {"email": "carla@example.org", "newsletters": ["morning"], "consent": "given"},
    "PATCH /subscribers/{subscriber}/newsletters/{newsletter}": {"preferences": {"stories": 3}},
    "POST /subscribers/{subscriber}/pause": {"newsletter": "morning"},
    "POST /subscribers/{subscriber}/resume": {},
    "POST /subscribers/{subscriber}/unsubscribe": {"newsletter": "morning"},
    "POST /summarize": {
        "text": "The bridge reopens on Monday. However, lorries may not cross it until June."
    },
}
"""A body with which each operation succeeds: generated ones are valid, but name nothing that exists."""


async def known_ids(site: ApiSite) -> dict[str, str]:
    """Send a newsletter; return an existing id for each part of a path."""
    sent = await site("POST", "/sends", {"newsletter": "morning", "all": True}, Idempotency_Key="first")
    subscriber = (await site("GET", "/subscribers?email=ben@example.org")).body["items"][0]
    return {
        "newsletter": "morning",
        "send": sent.body["id"],
        "issue": sent.body["issues"][0],
        "subscriber": subscriber["id"],
        "feed": (await site("GET", "/feeds")).body["items"][0]["id"],
        "article": (await site("GET", "/articles")).body["items"][0]["id"],
    }


def exercise(
    operation: APIOperation, mode: GenerationMode, site: ApiSite, known: dict[str, str]
) -> Counter[int]:
    """Send generated requests, half of them about objects that exist; return the statuses."""
    statuses = Counter[int]()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(mode))
    def check(case: Case) -> None:
        if statuses.total() % 2 and operation.path != "/sends/{send}/events":
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            if mode is GenerationMode.POSITIVE and operation.label in BODIES:
                case.body = BODIES[operation.label]
        site.clock.at += MINUTE  # the budget of requests is renewed
        answer = case.call_and_validate(
            headers={"Authorization": f"Bearer {site.token}"}, checks=CHECKS, timeout=60
        )
        statuses[answer.status_code] += 1

    check()
    return statuses


@pytest.mark.long
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_the_running_api_conforms_to_its_document(
    database: Database, tmp_path: Path, mode: GenerationMode
):
    clock = Clock(NOON)
    async for site in api_sites(database, tmp_path / "config", clock):
        known = await known_ids(site)
        schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{site.url}/api/v1/openapi.json")
        schema.config.update(base_url=f"{site.url}/api/v1")
        operations = [result.ok() for result in schema.get_all_operations()]
        operations.sort(key=lambda one: one.method == "delete")  # what the others need goes last
        found = {one.label: await asyncio.to_thread(exercise, one, mode, site, known) for one in operations}
        assert len(found) >= 25
        if mode is GenerationMode.POSITIVE:
            assert not [label for label, statuses in found.items() if statuses.keys() & {401, 403, 429}]
            failed = {label for label, some in found.items() if not any(status < 300 for status in some)}
            assert failed == {"GET /sends/{send}/events", "POST /feeds"}  # a stream; another host
