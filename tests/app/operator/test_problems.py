"""Problems: each kind of trouble is found, with a time and what to do, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.app.operator.observations import DiskSpace, Observations
from service.app.operator.problems import MIN_FREE_BYTES, ProblemKind, problems_of
from service.app.overview.due import DueTime, Upcoming
from service.core.model import DraftState, HeldChange, WebhookStatus
from service.core.read_models import TransactionalCounts
from service.deliver.ports import SendingPause
from service.store.overview import LateDeliveries, OpenDraft, TroubledFeed
from tests.builders import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NO_MAILS = TransactionalCounts(0, None, 0, 0, 0, 0)
WELL = Observations(
    titles={"morning": "The Morning"},
    has_operator=True,
    hold=None,
    pause=None,
    held_change=None,
    config_faults=(),
    stage_problems=(),
    feeds=(),
    paused=(),
    outbox=LateDeliveries(3, NOON - HOUR),
    due=Upcoming((), (DueTime("morning", NOON - timedelta(minutes=20), 9, 1),)),
    drafts=(OpenDraft("d", "morning", NOON + HOUR, DraftState.WAITING, "", 0),),
    transactional=replace(NO_MAILS, waiting=1, oldest=NOON - timedelta(minutes=9)),
    webhooks=(),
    disks=(DiskSpace(Path("/data"), MIN_FREE_BYTES),),
    last_backup=NOON - 7 * DAY,
)


def a_feed(**values: Any) -> TroubledFeed:
    return TroubledFeed("f", "The Courier", 9, None, "HTTP 500", None)._replace(**values)


def a_webhook() -> WebhookStatus:
    return WebhookStatus("w", "https://crm.example/x", (), NOON - HOUR, None, None, "HTTP 500", 1)


def test_an_installation_that_is_well_has_no_finding():
    assert problems_of(WELL, NOON) == ()
    assert problems_of(replace(WELL, last_backup=None), NOON) == ()  # backups may be made in another way


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"hold": "nothing is sent: x; run: caveat restore --resume"}, "sending", "restore --resume"),
        ({"pause": SendingPause("refused", NOON, NOON + HOUR, 1)}, "sending", "caveat issue resume --all"),
        ({"held_change": HeldChange(3, 4, (("morning", 3),))}, "configuration", "config apply --yes"),
        (
            {"config_faults": ("feeds.yaml:1:2: bad", "x")},
            "configuration",
            "feeds.yaml:1:2: bad (and 1 more)",
        ),
        ({"stage_problems": ("compose makes no progress",)}, "service", "compose makes no progress"),
        ({"due": Upcoming((), (DueTime("morning", NOON - HOUR, 9, 1),))}, "newsletter", "9 subscribers"),
        ({"outbox": LateDeliveries(3, NOON - 6 * HOUR)}, "outbox", "3 mails"),
        ({"drafts": (WELL.drafts[0]._replace(due_at=NOON),)}, "drafts", "caveat draft list"),
        (
            {"transactional": replace(WELL.transactional, oldest=NOON - HOUR)},
            "transactional",
            "1 confirmation",
        ),
        ({"feeds": (a_feed(last_success_at=NOON - 2 * DAY),)}, "feeds", "caveat feed health"),
        ({"feeds": (a_feed(gone_at=NOON - DAY),)}, "feeds", "ended by the publisher"),
        ({"webhooks": (a_webhook(),)}, "webhook", "https://crm.example/x has failed"),
        (
            {"disks": (DiskSpace(Path("/data"), MIN_FREE_BYTES - 2**20),)},
            "disk",
            "only 199 MB are free in /data",
        ),
        ({"last_backup": NOON - 9 * DAY}, "backup", "9 days ago"),
    ],
)
def test_each_trouble_is_found(change: dict[str, Any], kind: str, words: str):
    [problem] = problems_of(replace(WELL, **change), NOON)
    assert problem.kind is ProblemKind(kind)
    assert words in problem.sentence
    assert problem.advice or ";" in problem.said or kind == "webhook"


def test_a_feed_that_fails_for_some_hours_is_no_finding_yet():
    assert problems_of(replace(WELL, feeds=(a_feed(last_success_at=NOON - HOUR),)), NOON) == ()


def test_many_feeds_are_one_finding():
    [problem] = problems_of(replace(WELL, feeds=[a_feed(name=f"F{n}") for n in range(40)]), NOON)
    assert "40 feeds without a successful poll: F0, F1, F2, F3, F4 and 35 more" in problem.said
