"""Roster files: the keys of feeds.yaml, newsletters.yaml and subscribers.yaml with their meaning."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from service.core.model import DEFAULT_POLL_INTERVAL
from service.settings.field_types import (
    ConfigBlock,
    Duration,
    Email,
    FeedUrl,
    Identifier,
    Label,
    Language,
    Method,
    ScheduleText,
    SingleLine,
    Topic,
    Zone,
    did_you_mean,
    one_line,
    wrong_value,
)
from service.settings.packaged_files import DEFAULT_THEME

Format = Literal["html", "text"]
Stories = Annotated[int, Field(ge=1, le=50)]
Points = Annotated[int, Field(ge=1, le=12)]
Minutes = Annotated[int, Field(ge=1, le=60)]
CategoryName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(one_line)]
Phrase = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(one_line)]
Description = Annotated[str, Field(max_length=300), AfterValidator(one_line)]
Phrases = Annotated[list[Phrase], Field(max_length=50)]
Languages = Annotated[list[Language], Field(max_length=20)]


# --- feeds.yaml --------------------------------------------------------------------------------


class FeedEntry(ConfigBlock):
    """A feed: a web address or a file that is polled."""

    url: FeedUrl = Field(
        description="The address, or file:NAME for a file in this folder.",
        examples=["https://example.org/feed.xml"],
    )
    name: Label | None = Field(default=None, description="The publisher's name. Left out: the server's name.")
    topics: list[Topic] = Field(
        default_factory=list,
        description="The topics of its articles; newsletters choose feeds by topic.",
        examples=[["world"]],
    )
    language: Language | None = Field(
        default=None, description="The language. Left out: detected for each article."
    )
    method: Method | None = Field(
        default=None, description="The method for its articles. Left out: `condense.method`."
    )
    full_text: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether to fetch the page of an article. auto: only if the feed has just a teaser.",
    )
    every: Duration = Field(
        default=DEFAULT_POLL_INTERVAL,
        description="The time between two polls, at least; longer by default if it publishes little.",
    )
    first_items: int = Field(
        default=10, ge=0, le=500, description="Maximum articles from the first poll of a new feed."
    )
    max_age: Duration | None = Field(
        default=None,
        description="The age from which an article is stored but not sent. Left out: only at the first poll, "
        "two weeks before the feed's latest article, two months for monthly newsletters or a slow feed.",
        examples=["3d"],
    )
    weight: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="How much its stories count in the order of an issue: 2 for a main source, 0.5 for a "
        "minor one.",
    )
    categories: dict[CategoryName, Topic] = Field(
        default_factory=dict,
        description="Topics for the categories that its items name: such an article gets the topic as well.",
        examples=["{Business: economy}"],
    )
    muted: bool = Field(
        default=False, description="Whether it is not polled. Its articles and what is known of it stay."
    )


class FeedsConfig(ConfigBlock):
    """feeds.yaml: the sources of news."""

    feeds: list[FeedEntry] = Field(description="The feeds.", examples=["[{url: ..., topics: [world]}]"])


# --- newsletters.yaml --------------------------------------------------------------------------


class NewsletterEntry(ConfigBlock):
    """A newsletter that people can subscribe to."""

    id: Identifier = Field(description="A short name for commands and links.", examples=["morning"])
    title: Label = Field(description="The title that subscribers see.", examples=["The Morning Caveat"])
    schedule: ScheduleText = Field(
        description="When it is due: daily, weekdays, weekends, weekly DAYS or monthly DAYS with times, "
        "every 3h, or cron with its five fields.",
        examples=["daily 07:00"],
    )
    timezone: Zone = Field(description="The time zone of `schedule`.", examples=["Europe/Berlin"])
    topics: list[Topic] = Field(
        default_factory=list, description="The topics of its articles. Left out: all."
    )
    stories: Stories = Field(
        default=8, description="Maximum stories with key points per issue; the others get one line each."
    )
    points: Points = Field(default=4, description="Maximum key points per story, caveats included.")
    language: Language = Field(default="en", description="The language of headings and footer.")
    theme: Label = Field(
        default=DEFAULT_THEME,
        description="The design: a packaged theme, or a folder in templates/digest of this folder.",
    )
    format: Format = Field(default="html", description="html (with a text part) or text.")
    empty: Literal["skip", "send"] = Field(
        default="skip", description="Whether to send an issue without stories."
    )
    corrections: Literal["show", "hide"] = Field(
        default="show",
        description="Whether an issue says that a publisher changed a sentence of an earlier issue.",
    )
    show_source_health: bool = Field(
        default=False, description="Whether the footer names feeds that fail or have no new articles."
    )
    late: Literal["send", "merge", "skip"] = Field(
        default="send",
        description="What to do with a late issue: send it, merge it into the next one, or skip it.",
    )
    late_limit: Duration = Field(
        default=timedelta(hours=6), description="The delay after which an issue counts as late."
    )
    method: Method | None = Field(
        default=None, description="The method for its articles. Left out: `condense.method`."
    )
    languages: Languages = Field(
        default_factory=list,
        description="The languages of its articles. Left out: all.",
        examples=[["en"]],
    )
    follow: Phrases = Field(
        default_factory=list,
        description="Words and phrases whose stories come first.",
        examples=[["climate", "central bank"]],
    )
    mute: Phrases = Field(
        default_factory=list,
        description="Words and phrases whose stories are left out.",
        examples=[["horoscope"]],
    )
    minutes: Minutes | None = Field(
        default=None,
        description="The reading time of an issue: how many stories get key points. Left out: as `stories` "
        "and `points` say.",
        examples=[5],
    )
    min_stories: Stories = Field(
        default=1,
        description="With fewer stories there is no issue, and they wait for the next one: for a week at "
        "most, or two periods of the schedule.",
    )
    archive: Literal["public", "signed", "none"] = Field(
        default="signed",
        description="Who can read its issues on the web: everybody, whoever has the link from the mail, or "
        "nobody.",
    )
    review: Duration | None = Field(
        default=None,
        description="How long before its due time an issue waits as a draft for an editor. Left out: not at "
        "all.",
        examples=["30m"],
    )
    unreviewed: Literal["send", "hold"] = Field(
        default="send", description="What happens at the due time with a draft that nobody approved."
    )
    description: Description = Field(
        default="",
        description="A sentence that says what one gets, for the sign-up page.",
        examples=["The news of the day in five minutes, with the doubts that belong to it."],
    )
    sign_up: Literal["closed", "open", "invitation"] = Field(
        default="closed",
        description="Who may subscribe on the web: nobody, everybody (as in `web.sign_up`), or people with "
        "an invitation, also if `web.sign_up` names it.",
    )
    lead_picture: bool = Field(
        default=False, description="Whether the first story shows its picture, inside the mail."
    )

    @field_validator("min_stories")
    @classmethod
    def _contradicts_empty(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("empty") == "send":
            raise wrong_value("`empty: send` sends an issue without any story", "1, or `empty: skip`")
        return value


class NewslettersConfig(ConfigBlock):
    """newsletters.yaml: the newsletters that people can subscribe to."""

    newsletters: list[NewsletterEntry] = Field(
        description="The newsletters.",
        examples=['[{id: morning, title: ..., schedule: "daily 07:00", timezone: ...}]'],
    )


# --- subscribers.yaml --------------------------------------------------------------------------


class SubscriptionEntry(ConfigBlock):
    """A subscription with the subscriber's preferences; a key that is left out follows the newsletter."""

    id: Identifier = Field(description="The newsletter's id.", examples=["morning"])
    schedule: ScheduleText | None = Field(
        default=None, description="Their own schedule.", examples=["weekdays 06:30"]
    )
    timezone: Zone | None = Field(
        default=None, description="The time zone of the schedule. Left out: the subscriber's."
    )
    topics: list[Topic] | None = Field(default=None, description="The topics that they want.")
    stories: Stories | None = Field(default=None, description="Maximum stories with key points.")
    points: Points | None = Field(default=None, description="Maximum key points per story.")
    language: Language | None = Field(default=None, description="The language of headings and footer.")
    format: Format | None = Field(default=None, description="html or text.")
    languages: Languages | None = Field(default=None, description="The languages of the articles.")
    follow: Phrases | None = Field(
        default=None, description="Words and phrases whose stories come first, instead of the newsletter's."
    )
    mute: Phrases | None = Field(
        default=None, description="Words and phrases whose stories are left out, instead of the newsletter's."
    )
    minutes: Minutes | None = Field(default=None, description="The reading time of an issue.")


def _as_block(value: Any) -> Any:  # noqa: ANN401 - the unvalidated value from YAML
    return {"id": value} if isinstance(value, str) else value


class PersonalChannel(ConfigBlock):
    """The channel of a subscriber's digests, with their address on it. Such an address is a secret."""

    apprise: SingleLine | None = Field(
        default=None,
        max_length=2000,
        description="An Apprise URL: a chat or push service, see docs/how-to/channels.md.",
        examples=["tgram://BOT_TOKEN/CHAT_ID"],
        json_schema_extra={"writeOnly": True},
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1 or not all(self.model_dump().values()):
            raise wrong_value("the block names no channel, or more than one", EXPECTED_CHANNEL)
        return self


EXPECTED_CHANNEL = "a channel and the address on it, such as {apprise: URL}"


def _channel_block(value: Any) -> Any:  # noqa: ANN401 - the unvalidated value from YAML
    """Refuse an invalid block without repeating it, as pydantic would: it can hold a secret address."""
    known = PersonalChannel.model_fields
    if value is not None and not (isinstance(value, dict) and value.keys() <= known.keys()):
        names = [str(name) for name in value if name not in known] if isinstance(value, dict) else []
        hint = next(filter(None, (did_you_mean(name, known) for name in names)), "")
        raise wrong_value(f"it is not a block of {' or '.join(known)}{hint}", EXPECTED_CHANNEL)
    return value


class SubscriberEntry(ConfigBlock):
    """A subscriber and the newsletters that they get."""

    email: Email = Field(description="Their email address.", examples=["amina@example.org"])
    name: SingleLine = Field(default="", max_length=200, description="The name in the greeting.")
    timezone: Zone | None = Field(
        default=None, description="Their time zone. Left out: the newsletter's time zone."
    )
    channel: Annotated[PersonalChannel | None, BeforeValidator(_channel_block)] = Field(
        default=None,
        description="The channel of their digests instead of mail. Left out: mail.",
        examples=['{apprise: "tgram://BOT_TOKEN/CHAT_ID"}'],
    )
    newsletters: list[
        Annotated[
            SubscriptionEntry, BeforeValidator(_as_block, json_schema_input_type=str | SubscriptionEntry)
        ]
    ] = Field(
        description="Ids of newsletters, or blocks with an id and the subscriber's preferences.",
        examples=[["morning"]],
    )


class SubscribersConfig(ConfigBlock):
    """subscribers.yaml: the subscribers and their newsletters."""

    subscribers: list[SubscriberEntry] = Field(
        description="The subscribers; [] for none.",
        examples=["[{email: amina@example.org, newsletters: [morning]}]"],
    )
