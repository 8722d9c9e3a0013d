"""Effects of a changed configuration: the values of a plan, and each as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from service.core.model import Edition, HeldChange

PersonEffectKind = Literal["gains", "loses", "returns", "moves", "changes", "stays"]
"""What happens to a person's subscription. `moves`: to another hour. `stays`: they chose something else."""

KINDS: tuple[PersonEffectKind, ...] = ("loses", "gains", "returns", "moves", "changes", "stays")
"""In the order in which they are named: what is hard to undo comes first."""

KIND_WORDS: dict[PersonEffectKind, str] = {
    "loses": "get it no longer",
    "gains": "get it newly",
    "returns": "get it again",
    "moves": "get it at another time",
    "changes": "get it in another form",
    "stays": "keep what they chose themselves",
}
DECLARED_WORDS = {"add": "new", "change": "changed", "end": "removed"}


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """What a change does to one subscription.

    `before` and `after` are schedules with their zone, `detail` the changed preferences; each may be empty.
    `next_mail` is when the next mail is due, in the reader's zone; None if there is none.
    """

    email: str
    kind: PersonEffectKind
    before: str = ""
    after: str = ""
    detail: str = ""
    next_mail: datetime | None = None

    @property
    def sentence(self) -> str:
        """The effect in words."""
        said = {
            "gains": f"gets it newly, {self.after}",
            "loses": "gets it no longer",
            "returns": f"gets it again, {self.after}",
            "moves": f"moves from {self.before} to {self.after}",
            "changes": self.detail,
            "stays": f"stays as they are: {self.detail}",
        }[self.kind]
        next_mail = f"; next mail {written_time(self.next_mail)}" if self.next_mail else ""
        return f"{self.email}: {said}{next_mail}"


@dataclass(frozen=True, slots=True)
class NewsletterEffect:
    """What a change does to a newsletter and its readers.

    `declared` is `add`, `change`, `end` or "" (its own keys stay), with the changed keys in `detail`. The
    numbers are subscriptions; `sample` are some of them. `others` are readers from an import or the sign-up
    page, who get nothing more if the newsletter is removed.
    """

    id: str
    title: str
    declared: str = ""
    detail: str = ""
    loses: int = 0
    gains: int = 0
    returns: int = 0
    moves: int = 0
    changes: int = 0
    stays: int = 0
    others: int = 0
    sample: tuple[PersonEffect, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything changes; people who keep their own choice are no change."""
        return bool(self.declared or self.others or any(getattr(self, kind) for kind in KINDS[:-1]))

    @property
    def not_named(self) -> int:
        """The number of subscriptions that are not in the sample."""
        numbers: list[int] = [getattr(self, kind) for kind in KINDS]
        return sum(numbers) - len(self.sample)

    @property
    def sentence(self) -> str:
        """The effect in words, without the sample."""
        parts = [f"{number} {KIND_WORDS[kind]}" for kind in KINDS if (number := getattr(self, kind))]
        if self.others:
            parts.append(f"{self.others} who are not in the files get it no longer")
        own = DECLARED_WORDS.get(self.declared, "")
        own += f" ({self.detail})" if own and self.detail else ""
        return f"{self.title} ({self.id}): {'; '.join(filter(None, [own, ', '.join(parts)]))}"


@dataclass(frozen=True, slots=True)
class FeedEffect:
    """A feed that is added, changed or removed (`action`: add, change, end)."""

    name: str
    url: str
    action: str
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The effect in words."""
        detail = f": {self.detail}" if self.action == "change" else ""
        return f"feed {self.name} ({self.url}): {DECLARED_WORDS[self.action]}{detail}"


@dataclass(frozen=True, slots=True)
class SettingEffect:
    """A setting of caveat.yaml that changes. Secrets are hidden."""

    key: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """The effect in words."""
        return f"setting {self.key}: {self.before or 'none'} -> {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """What applying a configuration would change. `held`: it needs a confirmation, and why.

    `problems` are sentences about subscribers who stay as they were, and warnings with their place.
    """

    newsletters: tuple[NewsletterEffect, ...] = ()
    feeds: tuple[FeedEffect, ...] = ()
    settings: tuple[SettingEffect, ...] = ()
    held: HeldChange | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes; people who keep their own choice are no change."""
        return not (any(one.is_change for one in self.newsletters) or self.feeds or self.settings)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The plan in words, one line each; lines about one person are indented."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.is_empty:
            yield "Nothing changes."
        for newsletter in self.newsletters:
            yield newsletter.sentence
            if not newsletter.is_change:
                continue  # people who keep their own choice are many, and the same after every change
            for person in newsletter.sample:
                yield f"  {person.sentence}"
            if newsletter.not_named:
                yield f"  and {newsletter.not_named} more"
        yield from (feed.sentence for feed in self.feeds)
        yield from (setting.sentence for setting in self.settings)
        yield from self.problems
        if self.held:
            yield (
                f"This ends {self.held.ended} of {self.held.running} subscriptions: it is applied only when "
                "it is confirmed."
            )


def written_schedule(edition: Edition | None) -> str:
    """Return `daily 07:00 in Asia/Qatar`; empty for None."""
    return "" if edition is None else f"{edition.schedule} in {edition.timezone}"


def local_time(at: datetime | None, edition: Edition | None) -> datetime | None:
    """Return the time in the edition's zone."""
    return None if at is None or edition is None else at.astimezone(ZoneInfo(edition.timezone))


def written_time(at: datetime) -> str:
    """Return `Tuesday 2026-12-01 07:00 in Asia/Qatar`."""
    zone = f" in {at.tzinfo.key}" if isinstance(at.tzinfo, ZoneInfo) else ""
    return f"{at:%A %Y-%m-%d %H:%M}{zone}"
