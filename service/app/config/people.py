"""People of a plan: what a changed configuration does to readers, in the files and outside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.config.effects import (
    KINDS,
    PersonEffect,
    PersonEffectKind,
    local_time,
    written_schedule,
)
from service.core.model import Edition, Newsletter
from service.subscribers.defaults import DefaultMove, default_moves
from service.subscribers.diff import RosterAction, RosterDifference, changed_preferences

if TYPE_CHECKING:
    from service.app.factories.application import Application

SAMPLE = 5  # people named for each newsletter

SIMPLE_KINDS: dict[RosterAction, PersonEffectKind] = {
    RosterAction.ADD: "gains",
    RosterAction.END: "loses",
    RosterAction.RETURN: "returns",
    RosterAction.STAY: "stays",
}


@dataclass(frozen=True, slots=True)
class FollowerEffect:
    """What a changed default does to active subscribers outside the files: how many, and some of them."""

    kind: PersonEffectKind
    people: int
    sample: tuple[PersonEffect, ...]


def kind_of(one: RosterDifference) -> PersonEffectKind:
    """Return what happens to the person of a difference."""
    return SIMPLE_KINDS[one.action] if one.action in SIMPLE_KINDS else _kind(one.before, one.after)


def person_effect(one: RosterDifference, kind: PersonEffectKind) -> PersonEffect:
    """Return what the difference does to its person."""
    due = None if kind in ("loses", "stays") else local_time(one.next_due_at, one.after)
    return PersonEffect(
        one.name, kind, written_schedule(one.before), written_schedule(one.after), one.detail, due
    )


async def follower_effects(
    app: Application, newsletters: Sequence[Newsletter]
) -> dict[str, list[FollowerEffect]]:
    """Return what changed defaults do to active subscribers outside the files, by newsletter (id)."""
    moves = await default_moves(app.subscribers.roster_state, newsletters, app.clock())
    return {newsletter: await _effects(app, found) for newsletter, found in moves.items()}


async def _effects(app: Application, moves: Sequence[DefaultMove]) -> list[FollowerEffect]:
    """Return the effects of the moves, what is hard to undo first; SAMPLE people are named in all."""
    kinds = [(_kind(move.subscriptions.place.edition, move.place.edition), move) for move in moves]
    kinds.sort(key=lambda one: (KINDS.index(one[0]), -one[1].subscriptions.active))
    effects, named = [], 0
    for kind, move in kinds:
        emails: Sequence[str] = ()
        if named < SAMPLE:
            state = app.subscribers.roster_state
            emails = await state.addresses_of(move.subscriptions, SAMPLE - named)
            named += len(emails)
        sample = tuple(_follower(email, kind, move) for email in emails)
        effects.append(FollowerEffect(kind, move.subscriptions.active, sample))
    return effects


def _follower(email: str, kind: PersonEffectKind, move: DefaultMove) -> PersonEffect:
    before, after = move.subscriptions.place.edition, move.place.edition
    return PersonEffect(
        email,
        kind,
        written_schedule(before),
        written_schedule(after),
        changed_preferences(before, after),
        local_time(move.place.next_due_at, after),
    )


def _kind(before: Edition | None, after: Edition | None) -> PersonEffectKind:
    return "moves" if written_schedule(before) != written_schedule(after) else "changes"
