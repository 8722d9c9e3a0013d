"""Subscribers as the API shows and takes them: the models, without the operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from service.core.model import Membership, Preferences, SubscriptionStatus
from service.web.api.operations import ApiInput, ApiOutput, Key, Line, PageQuery

MAX_WORDS = 100  # of a list in the preferences
Words = Annotated[list[Line], Field(max_length=MAX_WORDS)]
Count = Annotated[int, Field(ge=1, le=1_000)]


class PreferenceInput(ApiInput):
    """Preferences for a newsletter. null: the newsletter's own; left out of a change: as it was."""

    schedule: Line | None = Field(default=None, description="When it is due, such as `daily 07:30`.")
    timezone: Line | None = None
    topics: Words | None = None
    stories: Count | None = None
    points: Count | None = None
    language: Line | None = None
    format: Literal["html", "text"] | None = None
    languages: Words | None = None
    follow: Words | None = None
    mute: Words | None = None
    minutes: Count | None = None

    def values(self) -> dict[str, Any]:
        """Return the fields that the request names, lists as tuples."""
        found = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


class NewSubscriber(ApiInput):
    """A person to subscribe."""

    email: Line
    newsletters: Annotated[list[Key], Field(min_length=1, max_length=50)] = Field(description="Ids.")
    consent: Literal["given", "ask"] = Field(
        description="given: the person has agreed, and you can prove it. ask: a mail asks them first."
    )
    name: Annotated[Line, Field(max_length=200)] | None = None
    timezone: Line | None = Field(default=None, description="Left out: that of each newsletter.")
    preferences: PreferenceInput = Field(default=PreferenceInput(), description="For all these newsletters.")


class SubscriptionChange(ApiInput):
    """What to change of a subscription."""

    preferences: PreferenceInput = PreferenceInput()
    status: Literal["active", "paused", "unsubscribed"] | None = Field(
        default=None, description="Left out: as it is."
    )
    paused_until: date | None = Field(
        default=None, description="Day at which a pause ends by itself; with `status` paused."
    )

    @property
    def new_status(self) -> SubscriptionStatus | None:
        """The status; None: as it is."""
        return None if self.status is None else SubscriptionStatus(self.status)


class NewsletterChoice(ApiInput):
    """One newsletter of a subscriber, or all of them."""

    newsletter: Key | None = Field(default=None, description="Id of the newsletter. Left out: all.")


class PauseRequest(NewsletterChoice):
    """A pause."""

    until: date | None = Field(default=None, description="Day at which it ends by itself. Left out: no end.")


class SubscriberQuery(PageQuery):
    """Which subscribers."""

    email: Line | None = Field(default=None, description="Whole address; without other conditions.")
    search: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None, description="Part of the address or the name."
    )
    newsletter: Key | None = Field(default=None, description="Id of a newsletter that they have.")
    status: SubscriptionStatus | None = Field(
        default=None, description="Status of a subscription; with `newsletter`, of that one."
    )
    suppressed: bool = Field(default=False, description="true: only those who get no mail at all.")

    @property
    def has_filter(self) -> bool:
        """Whether a condition other than the address is named."""
        return bool(self.search or self.newsletter or self.status or self.suppressed)


class PreferenceResource(ApiOutput):
    """Preferences; null: the newsletter's own."""

    schedule: str | None
    timezone: str | None
    topics: list[str] | None
    stories: int | None
    points: int | None
    language: str | None
    format: str | None
    languages: list[str] | None
    follow: list[str] | None
    mute: list[str] | None
    minutes: int | None

    @classmethod
    def of(cls, preferences: Preferences) -> PreferenceResource:
        """Return the preferences as the API shows them."""
        found: dict[str, Any] = {name: getattr(preferences, name) for name in cls.model_fields}
        lists = {name: list(one) for name, one in found.items() if isinstance(one, tuple)}
        return cls(**found | lists)


class SubscriptionResource(ApiOutput):
    """A subscriber's place in a newsletter."""

    newsletter: str
    status: SubscriptionStatus
    paused_until: date | None
    next_due_at: datetime | None = Field(description="When the next issue is due; null while none is.")
    is_declared: bool = Field(description="Whether subscribers.yaml names it.")
    preferences: PreferenceResource


class SubscriberResource(ApiOutput):
    """A person with their subscriptions."""

    id: str
    email: str
    name: str
    timezone: str | None
    suppressed: str | None = Field(description="Why the address gets no mail; null if it may.")
    subscriptions: list[SubscriptionResource]


class SubscriberList(ApiOutput):
    """Subscribers in the order in which they were stored; with a condition, newest first.

    A page of a search can have fewer items than `limit`, also none, before the last page.
    """

    items: list[SubscriberResource]
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last one.")


class AcceptedSubscriber(ApiOutput):
    """The answer to a new subscriber: the person, or null while a mail asks them for their consent."""

    subscriber: SubscriberResource | None
    is_new: bool


def subscriber_resource(memberships: Sequence[Membership]) -> SubscriberResource:
    """Return a subscriber from all their memberships, of which there is at least one."""
    first = memberships[0]
    return SubscriberResource(
        id=first.subscriber.id,
        email=first.subscriber.email,
        name=first.subscriber.name,
        timezone=first.subscriber.timezone,
        suppressed=first.suppressed,
        subscriptions=[
            SubscriptionResource(
                newsletter=one.subscription.newsletter,
                status=one.subscription.status,
                paused_until=one.pause_end,
                next_due_at=one.subscription.next_due_at
                if one.subscription.status is SubscriptionStatus.ACTIVE and one.suppressed is None
                else None,
                is_declared=one.declared,
                preferences=PreferenceResource.of(one.subscription.preferences),
            )
            for one in memberships
        ],
    )
