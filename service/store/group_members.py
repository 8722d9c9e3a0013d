"""The statements about a group: its members, its rows of `groups`, and the issues that it got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from service.core.model import Group
from service.store.cancel import was_kept
from service.store.columns import Instant
from service.store.dialect import Query, is_in
from service.store.groups import ACTIVE
from service.store.schema import deliveries, groups, issues, subscribers, subscriptions

DUE_AT = bindparam("group_due_at", type_=Instant)
THIS_GROUP = (
    groups.c.edition_key == bindparam("group_edition"),
    groups.c.told_through == bindparam("group_cursor"),
    or_(DUE_AT.is_(None), groups.c.next_due_at == DUE_AT),
)
DELIVERY_COLUMNS = ("issue", "subscriber", "state", "attempts", "due_at")


@dataclass(frozen=True, slots=True)
class GroupStatements:
    """The statements about a group, executed with `group_values`.

    Its members are active and still at its cursor: `count` is their number, `planned` has a row of deliveries
    (DELIVERY_COLUMNS) for each, of `planned_issue` and due `planned_at`; `plan` stores these. `rows` are the
    rows of `groups` that at least one member belongs to. The issues of the newsletter that the group got:
    `last_start` is the cursor before the last one; `recent` and `recent_numbers` are those `since` a time,
    the oldest first.
    """

    count: Query
    planned: Query
    plan: Insert
    rows: Query
    last_start: Query
    recent: Query
    recent_numbers: Query


def group_values(group: Group) -> Mapping[str, Any]:
    """Return the parameters of the statements about this group."""
    return {
        "group_edition": group.edition_key,
        "group_cursor": group.served_through,
        "group_due_at": group.due_at,
        "newsletter": group.edition.newsletter,
    }


def group_statements(connection: Connection, group: Group) -> GroupStatements:
    """Return the statements for the whole group, or for its `subscriber_ids`."""
    if group.subscriber_ids is None:
        return WHOLE_GROUP
    named = select(subscribers.c.number).where(is_in(connection, subscribers.c.id, group.subscriber_ids))
    return _statements(subscriptions.c.subscriber.in_(named))


def _statements(*chosen: ColumnElement[bool]) -> GroupStatements:
    numbers = select(groups.c.number).where(*THIS_GROUP)
    is_member = (subscriptions.c.group_number.in_(numbers), ACTIVE, *chosen)
    member = subscriptions.c.subscriber
    # Members of a group got the same articles, so the issues of the first member are those of all.
    first = select(func.min(member)).where(*is_member).scalar_subquery()
    delivered = exists().where(
        deliveries.c.issue == issues.c.number, deliveries.c.subscriber == first, was_kept()
    )
    is_issue = issues.c.edition_key != ""  # not a transactional mail
    got = (issues.c.newsletter == bindparam("newsletter"), is_issue, delivered)
    recent = (*got, issues.c.created_at >= bindparam("since", type_=Instant))
    planned = (
        select(
            bindparam("planned_issue", type_=BigInteger),
            member,
            literal("planned"),
            literal(0),
            bindparam("planned_at", type_=Instant),
        )
        .where(*is_member)
        .order_by(subscriptions.c.group_number, member)
    )
    return GroupStatements(
        planned=planned,
        plan=deliveries.insert().from_select(DELIVERY_COLUMNS, planned),
        count=select(func.count()).select_from(subscriptions).where(*is_member),
        rows=select(groups.c.number, groups.c.next_due_at).where(
            groups.c.number.in_(select(subscriptions.c.group_number).where(*is_member))
        ),
        last_start=select(issues.c.told_from).where(*got).order_by(issues.c.number.desc()).limit(1),
        recent=select(*issues.c["id", "due_at", "article_ids"]).where(*recent).order_by(issues.c.number),
        recent_numbers=select(issues.c.number).where(*recent).order_by(issues.c.number),
    )


WHOLE_GROUP = _statements()
"""Built once: building a statement takes longer than running it."""
