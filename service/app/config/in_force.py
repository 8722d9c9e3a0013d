"""In force: which roster holds while the saved one is held back or cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from service.app.clock import Clock, utc_now
from service.core.errors import CaveatError, ConfigError, Fault
from service.core.model import HeldChange, Roster
from service.settings.storage_url import sqlite_file
from service.settings.values import LoadedConfig
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.defaults import changed_defaults
from service.subscribers.sync import held_change

if TYPE_CHECKING:
    from service.app.factories.application import Application

NO_ROSTER = Roster((), (), ())


async def held_by_guard(app: Application, roster: Roster) -> HeldChange | None:
    """Return why this roster must not come into force by itself; None if it may. Stores the result.

    The database then says it to health checks and the operator's mail, in whatever process they run.
    """
    change, state = await held_change(app.subscribers, roster, app.clock()), app.subscribers.roster_state
    if change is not None:
        await state.hold(change, app.clock())
    elif await state.held() is not None:
        await state.release()
    return change


async def roster_in_force(app: Application, saved: Roster = NO_ROSTER) -> Roster:
    """Return the roster that was applied last: its feeds and newsletters, as the database has them.

    Its people are in the database only; `saved` is the roster of the files, whose people have the addresses
    on personal channels, and whose newsletters hold if none were ever applied. It must not be applied again.
    """
    incomplete = replace(saved, fingerprint="", is_complete=False)
    newsletters = await app.subscribers.roster_state.newsletters()
    if newsletters is None:
        return incomplete
    feeds = tuple(line.state.feed for line in await app.queries.feeds() if line.active)
    return replace(incomplete, feeds=feeds, newsletters=tuple(newsletters))


async def last_valid_roster(app: Application, faults: Sequence[Fault]) -> Roster:
    """Return the roster in force while the files have these faults.

    Raises ConfigError with them if no roster was ever applied, so that there is nothing to work with.
    """
    if await app.subscribers.roster_state.newsletters() is None:
        nothing = "no valid configuration was applied to this database before, so there is none to start with"
        raise ConfigError([*faults, Fault(faults[0].file, 0, 0, nothing)])
    return await roster_in_force(app)


async def apply_if_changed(app: Application) -> None:
    """Apply the application's roster unless exactly these files were applied last. Raises ChangeHeld.

    A command that needs one of 10,000 subscribers would else spend its time on comparing all of them.
    """
    state = app.subscribers.roster_state
    is_applied = app.roster.fingerprint and app.roster.fingerprint == await state.fingerprint()
    if is_applied and not await changed_defaults(state, app.roster.newsletters):
        if await state.held() is not None:
            await state.release()
        return
    await app.apply_roster()


async def held_change_of(loaded: LoadedConfig, clock: Clock = utc_now) -> tuple[Fault, ...]:
    """Return a warning if this configuration would not come into force by itself; () if it would.

    () too if the database does not exist yet, or cannot be opened, which `caveat doctor` reports.
    """
    file = sqlite_file(loaded.settings.storage)
    if loaded.faults or (file is not None and not file.exists()):
        return ()
    try:
        database = await Database.open(loaded.settings.storage)
    except CaveatError:
        return ()
    try:
        change = await held_change(SqlSubscriberStore(database), loaded.roster, clock())
    finally:
        await database.close()
    return (Fault("subscribers.yaml", 0, 0, change.sentence),) if change else ()
