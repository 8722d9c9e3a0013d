"""Test of the operator's mail: sent at once, by the real channel; nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.operator.mail import operator_issue, operator_mails
from service.app.sending.send_test import SUBJECT_MARK
from service.core import ids as identity
from service.core.model import Delivery, Issue, Outcome
from service.deliver.single_message import send_one
from service.subscribers.links import TEST_RECIPIENT

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class OperatorTest:
    """The mail that the operator at `address` would get now, marked as a test."""

    issue: Issue
    address: str


async def prepare_operator_tests(app: Application) -> Sequence[OperatorTest]:
    """Return a test for each operator. Raises UsageError if caveat.yaml names none."""
    tests = []
    for person, rendered in await operator_mails(app):
        marked = replace(rendered, subject=SUBJECT_MARK + rendered.subject)
        tests.append(OperatorTest(operator_issue(marked, person, app.clock()), person.email))
    return tests


async def send_operator_test(app: Application, test: OperatorTest) -> Outcome:
    """Send the test now; return the outcome with the server's reply. Raises ChannelUnavailable."""
    channel = (await app.deliverer()).channel
    number = identity.content_id("test", test.issue.id, test.address)
    delivery = Delivery(number, test.issue.id, TEST_RECIPIENT, channel.name, test.address, "")
    return await send_one(channel, test.issue, delivery)
