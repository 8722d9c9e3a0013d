"""Values of compose: newsletters, preferences, editions and their groups of subscribers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A newsletter as the roster declares it, with the defaults for its subscribers' preferences.

    `stories` is the maximum number of stories with key points; the others are named in one line each.
    `minutes` is the reading time that an issue may take, None for any. `languages` (none: all) are those of
    its articles. `follow` and `mute` are words and phrases: stories with the former come first, with the
    latter not at all.

    `empty` (an issue without stories) is `skip` or `send`. With fewer stories than `min_stories`, they wait
    for the next issue. `late` (an issue more than `late_limit` after its
    due time) is `send`, `merge` or `skip`. `corrections` is `show` or `hide`. With `show_source_health`, an
    issue names the sources that cannot be read or are overdue.

    `archive` says who may read issues on the web: `public`, `signed` (with a link) or `none`. With
    `review`, an issue waits that long before its due time as a draft; if nobody acts, it is sent or held, as
    `unreviewed` says (`send`, `hold`). With `lead_picture`, the first story shows its picture.

    `description` is a sentence for people who consider a subscription. `sign_up` says who may subscribe on
    the web: everybody (`open`), people with an invitation (`invitation`) or nobody (`closed`).
    """

    id: str
    title: str
    schedule: str
    timezone: str
    topics: tuple[str, ...] = ()
    stories: int = 8
    points: int = 4
    language: str = "en"
    theme: str = "daily"
    format: str = "html"
    empty: str = "skip"
    late: str = "send"
    late_limit: timedelta = timedelta(hours=6)
    method: str | None = None
    corrections: str = "show"
    show_source_health: bool = False
    languages: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    minutes: int | None = None
    min_stories: int = 1
    archive: str = "signed"
    review: timedelta | None = None
    unreviewed: str = "send"
    lead_picture: bool = False
    description: str = ""
    sign_up: str = "closed"


NO_LIMIT = 0
"""The minutes of a subscriber who wants no limit, where the newsletter has one."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """A subscriber's settings for a newsletter; None means the newsletter's default.

    `minutes` may be NO_LIMIT.
    """

    schedule: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] | None = None
    stories: int | None = None
    points: int | None = None
    language: str | None = None
    format: str | None = None
    languages: tuple[str, ...] | None = None
    follow: tuple[str, ...] | None = None
    mute: tuple[str, ...] | None = None
    minutes: int | None = None


PREFERENCE_FIELDS = tuple(field.name for field in fields(Preferences))
"""Names of the fields that a subscriber can set; an Edition has the same ones."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter with the settings of one group of subscribers. `ids.edition_key` computes its key.

    A new field needs a default value: without one it would change the key of every stored edition.
    """

    newsletter: str
    schedule: str
    timezone: str
    topics: tuple[str, ...]
    stories: int
    points: int
    language: str
    format: str
    languages: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Subscriptions that get the same issue: they have the same edition and the same cursor.

    `served_through` is the cursor, `due_at` the due time (None for a manual send), `size` the number of
    active members. `subscriber_ids` limits a manual send to some members; None means all.
    """

    edition: Edition
    edition_key: str
    served_through: int
    due_at: datetime | None
    size: int
    subscriber_ids: tuple[str, ...] | None = None
