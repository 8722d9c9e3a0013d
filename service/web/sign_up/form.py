"""Sign-up form: the typed values, and what the page says about each newsletter (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.app.sign_up import SignUpWish
from service.core.model import Newsletter
from service.text.i18n import Localizer
from service.web.request_bodies import Fields
from service.web.sign_up.schedule_words import schedule_words

MAX_VALUE_CHARACTERS = 320
"""Length of the longest mail address (RFC 5321, 4.5.3.1); the rest of a field is ignored."""

MAX_NEWSLETTERS = 100  # ids that are read of one form

TRAP_FIELD = "website"
"""A form field that is hidden from people; a request that fills it comes from a program."""


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The typed values. `problems` has a label key or a sentence for each invalid field."""

    email: str = ""
    newsletters: tuple[str, ...] = ()
    timezone: str = ""
    time: str = ""
    days: frozenset[int] = frozenset()
    is_trapped: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)

    def wish(self, offers: Sequence[Offer], language: str, invitation: str | None) -> SignUpWish:
        """Return what the person asks for, with what the page said about each newsletter."""
        return SignUpWish(
            self.email,
            self.newsletters,
            self.timezone,
            self.time,
            self.days,
            {offer.newsletter.id: offer.shown for offer in offers},
            language,
            invitation,
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A newsletter on the form: when it comes, in words, and the address of its latest issue or ""."""

    newsletter: Newsletter
    schedule: str
    sample: str
    shown: str


def offer_of(newsletter: Newsletter, sample: str, labels: Localizer) -> Offer:
    """Return a newsletter as the form shows it; `shown` is the text for the record of consent."""
    schedule = schedule_words(labels, newsletter.schedule)
    said = (newsletter.title, newsletter.description, schedule, labels.text("subscribe_text"))
    return Offer(newsletter, schedule, sample, "\n".join(filter(None, said)))


def typed_form(fields: Fields) -> SignUpForm:
    """Return the typed values of a submitted form, cut to their maximum lengths."""

    def first(name: str) -> str:
        return fields.get(name, [""])[0][:MAX_VALUE_CHARACTERS].strip()

    days = {int(value) for value in fields.get("day", []) if len(value) == 1 and value in "0123456"}
    chosen = [value[:MAX_VALUE_CHARACTERS] for value in fields.get("newsletter", [])[:MAX_NEWSLETTERS]]
    return SignUpForm(
        email=first("email"),
        newsletters=tuple(dict.fromkeys(filter(None, chosen))),
        timezone=first("timezone"),
        time=first("time"),
        days=frozenset(days),
        is_trapped=any(fields.get(TRAP_FIELD, [])),
    )
