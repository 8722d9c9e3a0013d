"""The picture of an issue is stored with it, once for all recipients."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import NOON
from tests.pictures import a_picture
from tests.store.stores import DAY, Stores, an_issue


async def test_a_picture_comes_back_with_its_issue(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    issue = replace(an_issue(group), picture=a_picture("Küstenbote"))
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 2

    stored = await stores.deliver.issue(issue.id)
    assert stored is not None
    assert stored.picture == issue.picture


async def test_an_issue_without_picture_has_none(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    stored = await stores.deliver.issue(issue.id)
    assert stored is not None
    assert stored.picture is None
