"""Roster files: every key of feeds.yaml, newsletters.yaml and subscribers.yaml, with what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from service.settings.field_types import (
    Block,
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
    wrong_value,
)
from service.settings.packaged_files import DEFAULT_THEME

Format = Literal["html", "text"]
Stories = Annotated[int, Field(ge=1, le=50)]
Points = Annotated[int, Field(ge=1, le=12)]


# --- feeds.yaml --------------------------------------------------------------------------------


class FeedEntry(Block):
    """A feed: a web address or a file that is looked at."""

    url: FeedUrl = Field(
        description="Its address, or file:NAME for a file in this folder.",
        examples=["https://example.org/feed.xml"],
    )
    name: Label | None = Field(default=None, description="The publisher's name. Left out: the server's name.")
    topics: list[Topic] = Field(
        default_factory=list,
        description="What it is about; newsletters choose by topic.",
        examples=[["world"]],
    )
    language: Language | None = Field(
        default=None, description="Its language. Left out: recognised from each article."
    )
    method: Method | None = Field(
        default=None, description="The method for its articles. Left out: the usual one."
    )
    full_text: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether an article's page is fetched: auto means when the feed has only a teaser.",
    )
    every: Duration = Field(default=timedelta(minutes=15), description="The shortest time between two looks.")
    first_items: int = Field(
        default=10, ge=0, le=500, description="How many articles a new feed brings at first."
    )


class FeedsConfig(Block):
    """feeds.yaml: where news comes from."""

    feeds: list[FeedEntry] = Field(description="The feeds.", examples=["[{url: ..., topics: [world]}]"])


# --- newsletters.yaml --------------------------------------------------------------------------


class NewsletterEntry(Block):
    """A newsletter: what one can subscribe to."""

    id: Identifier = Field(description="Its short name, for commands and links.", examples=["morning"])
    title: Label = Field(description="What readers see.", examples=["The Morning Caveat"])
    schedule: ScheduleText = Field(
        description="When it is due: daily, weekdays, weekends, weekly DAYS or monthly DAYS, then the time.",
        examples=["daily 07:00"],
    )
    timezone: Zone = Field(description="The time zone of that time.", examples=["Europe/Berlin"])
    topics: list[Topic] = Field(default_factory=list, description="What it tells. Left out: everything.")
    stories: Stories = Field(default=8, description="The most stories in one issue.")
    points: Points = Field(default=4, description="The most key points for one story, caveats included.")
    language: Language = Field(default="en", description="The language of its own words (headings, footer).")
    theme: Label = Field(
        default=DEFAULT_THEME,
        description="Its look: a folder in templates/digest, ours or one of your own in this folder.",
    )
    format: Format = Field(default="html", description="html (with a text part) or text alone.")
    empty: Literal["skip", "send"] = Field(
        default="skip", description="What happens when there is nothing new."
    )
    corrections: Literal["show", "hide"] = Field(
        default="show",
        description="Whether readers hear of it when a publisher changes a sentence that they were told.",
    )
    show_source_health: bool = Field(
        default=False, description="Whether its footer names the sources that nothing is heard from."
    )
    late: Literal["send", "merge", "skip"] = Field(
        default="send",
        description="What happens to an issue that could not leave in time: send, merge into the next, skip.",
    )
    late_limit: Duration = Field(
        default=timedelta(hours=6), description="From which delay on an issue counts as late."
    )
    method: Method | None = Field(
        default=None, description="The method for its articles. Left out: the usual one."
    )


class NewslettersConfig(Block):
    """newsletters.yaml: what one can subscribe to."""

    newsletters: list[NewsletterEntry] = Field(
        description="The newsletters.",
        examples=['[{id: morning, title: ..., schedule: "daily 07:00", timezone: ...}]'],
    )


# --- subscribers.yaml --------------------------------------------------------------------------


class Wish(Block):
    """A newsletter as one subscriber wants it; what is left out is as the newsletter says."""

    id: Identifier = Field(description="The newsletter's id.", examples=["morning"])
    schedule: ScheduleText | None = Field(
        default=None, description="When they want it.", examples=["weekdays 06:30"]
    )
    timezone: Zone | None = Field(
        default=None, description="The time zone of that time. Left out: the subscriber's."
    )
    topics: list[Topic] | None = Field(default=None, description="What they want to be told.")
    stories: Stories | None = Field(default=None, description="The most stories in one issue.")
    points: Points | None = Field(default=None, description="The most key points for one story.")
    language: Language | None = Field(default=None, description="The language of the newsletter's own words.")
    format: Format | None = Field(default=None, description="html or text.")


def _written_out(value: Any) -> Any:  # noqa: ANN401 - what stands in the file
    return {"id": value} if isinstance(value, str) else value


class PersonalChannel(Block):
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
    """Refuse what is no block of known channels before anything repeats it: it can be a secret address."""
    known = PersonalChannel.model_fields
    if value is not None and not (isinstance(value, dict) and value.keys() <= known.keys()):
        raise wrong_value(f"it is no block of {' or '.join(known)}", EXPECTED_CHANNEL)
    return value


class SubscriberEntry(Block):
    """A subscriber: a person and the newsletters that they get."""

    email: Email = Field(description="Their address.", examples=["amina@example.org"])
    name: SingleLine = Field(default="", max_length=200, description="How they are greeted.")
    timezone: Zone | None = Field(
        default=None, description="Where they live. Left out: the newsletter's time zone."
    )
    channel: Annotated[PersonalChannel | None, BeforeValidator(_channel_block)] = Field(
        default=None,
        description="Where their digests go instead of by mail. Left out: by mail.",
        examples=['{apprise: "tgram://BOT_TOKEN/CHAT_ID"}'],
    )
    newsletters: list[Annotated[Wish, BeforeValidator(_written_out, json_schema_input_type=str | Wish)]] = (
        Field(
            description="Ids of newsletters, or blocks with an id and their own wishes.",
            examples=[["morning"]],
        )
    )


class SubscribersConfig(Block):
    """subscribers.yaml: who gets them."""

    subscribers: list[SubscriberEntry] = Field(
        description="The subscribers; [] for nobody.",
        examples=["[{email: amina@example.org, newsletters: [morning]}]"],
    )
