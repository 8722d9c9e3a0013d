"""Plan: what a changed configuration would do to readers, feeds and settings. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.config.effects import (
    KINDS,
    ConfigPlan,
    FeedEffect,
    NewsletterEffect,
    PersonEffect,
    SettingEffect,
)
from service.app.config.people import SAMPLE, FollowerEffect, follower_effects, kind_of, person_effect
from service.app.factories import config_folder
from service.core.errors import ConfigError
from service.core.model import Newsletter
from service.settings.field_types import write_duration
from service.settings.values import EffectiveSetting, LoadedConfig
from service.subscribers.diff import RosterAction, RosterDifference, differences
from service.subscribers.sync import held_change, placements_of

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = ["ConfigPlan", "NewsletterEffect", "PersonEffect", "config_plan", "plan_of"]


async def config_plan(app: Application, files: Mapping[str, bytes] | None = None) -> ConfigPlan:
    """Return what applying the config folder, with `files` (content by name) in place of its own, would do.

    Without `files` these are the files as saved: settings are then not compared, because a running service
    has read them. Raises ConfigError with the faults of the new files.
    """
    folder = app.settings.folder
    draft = await asyncio.to_thread(config_folder.load_with, folder, files or {}, tolerant=not files)
    before = await asyncio.to_thread(_effective_now, folder) if files else None
    return await plan_of(app, draft, before)


async def plan_of(
    app: Application, draft: LoadedConfig, settings_before: Sequence[EffectiveSetting] | None
) -> ConfigPlan:
    """Return what applying a loaded configuration would do. `settings_before` None: do not compare them."""
    now, roster = app.clock(), draft.roster
    known = [line.state.feed for line in await app.queries.feeds() if line.active]
    found = [one async for one in differences(app.subscribers, roster, known, now)]
    _, problems, _ = await asyncio.to_thread(placements_of, roster, now)
    in_force = await app.subscribers.roster_state.newsletters()
    others = await app.subscribers.roster_state.undeclared_running()
    followers = await follower_effects(app, roster.newsletters)
    return ConfigPlan(
        newsletters=_newsletter_effects(roster.newsletters, in_force, found, others, followers),
        feeds=tuple(_feed_effect(one) for one in found if one.kind == "feed"),
        settings=_setting_effects(settings_before, draft.effective),
        held=await held_change(app.subscribers, roster, now),
        problems=(*problems, *map(str, draft.warnings)),
    )


def _effective_now(folder: Path) -> tuple[EffectiveSetting, ...] | None:
    try:
        return config_folder.load(folder, tolerant=True).effective
    except ConfigError:
        return None  # the files as saved cannot be read, and there is nothing to compare with


def _newsletter_effects(
    declared: Sequence[Newsletter],
    in_force: Sequence[Newsletter] | None,
    found: Iterable[RosterDifference],
    others: Mapping[str, int],
    followers: Mapping[str, Sequence[FollowerEffect]],
) -> tuple[NewsletterEffect, ...]:
    """Return the effects on each newsletter that something changes for, in the order of the files."""
    after = {one.id: one for one in declared}
    before = after if in_force is None else {one.id: one for one in in_force}
    people: dict[str, list[RosterDifference]] = {}
    for one in found:
        if one.kind == "subscription":
            people.setdefault(one.newsletter, []).append(one)
    names = dict.fromkeys([*after, *before, *people])
    effects = (
        _newsletter_effect(
            name,
            before.get(name),
            after.get(name),
            people.get(name, ()),
            others,
            followers=followers.get(name, ()),
        )
        for name in names
    )
    return tuple(effect for effect in effects if effect is not None)


def _newsletter_effect(
    name: str,
    before: Newsletter | None,
    after: Newsletter | None,
    people: Sequence[RosterDifference],
    others: Mapping[str, int],
    *,
    followers: Sequence[FollowerEffect],
) -> NewsletterEffect | None:
    """Return the effects on one newsletter, None if there are none."""
    action = "end" if before and not after else "add" if after and not before else ""
    detail = _changed_keys(before, after) if before and after else ""
    if not (action or detail or people or followers):
        return None
    kinds = [kind_of(one) for one in people]
    counts = Counter(kinds)
    for effect in followers:
        counts[effect.kind] += effect.people
    # What is hard to undo comes first.
    ordered = sorted(zip(people, kinds, strict=True), key=lambda one: KINDS.index(one[1]))
    sample = [person_effect(person, kind) for person, kind in ordered[:SAMPLE]]
    sample += [person for effect in followers for person in effect.sample]
    sample.sort(key=lambda one: KINDS.index(one.kind))
    shown = after or before
    return NewsletterEffect(
        id=name,
        title=shown.title if shown else name,
        declared=action or ("change" if detail else ""),
        detail=detail,
        loses=counts["loses"],
        gains=counts["gains"],
        returns=counts["returns"],
        moves=counts["moves"],
        changes=counts["changes"],
        stays=counts["stays"],
        others=others.get(name, 0) if action == "end" else 0,
        sample=tuple(sample[:SAMPLE]),
    )


def _feed_effect(one: RosterDifference) -> FeedEffect:
    is_change = one.action is RosterAction.CHANGE
    return FeedEffect(one.name if is_change else one.detail, one.name, one.action, one.detail)


def _changed_keys(before: Newsletter, after: Newsletter) -> str:
    """Return each changed key: `schedule daily 07:00 -> daily 08:00`."""
    values = ((f.name, getattr(before, f.name), getattr(after, f.name)) for f in fields(Newsletter))
    return "; ".join(f"{name} {_shown(old)} -> {_shown(new)}" for name, old, new in values if old != new)


def _shown(value: object) -> str:
    match value:
        case None | () | "":
            return "none"
        case bool():
            return str(value).lower()
        case timedelta():
            return write_duration(value)
        case tuple():
            return ", ".join(map(str, value))
    return str(value)


def _setting_effects(
    before: Sequence[EffectiveSetting] | None, after: Sequence[EffectiveSetting]
) -> tuple[SettingEffect, ...]:
    if before is None:
        return ()
    old, new = {one.key: one.value for one in before}, {one.key: one.value for one in after}
    return tuple(
        SettingEffect(key, old.get(key, ""), new.get(key, ""))
        for key in dict.fromkeys([*old, *new])
        if old.get(key, "") != new.get(key, "")
    )
