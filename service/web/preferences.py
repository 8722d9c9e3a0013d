"""Preferences: a reader's own page, where every newsletter of theirs can be changed, paused or left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.core.model import SubscriptionStatus
from service.web.forms import STATUSES, NewsletterForm, choice_of, filled_in, shown
from service.web.page_text import Words
from service.web.pages import PERSONAL, Pages, masked, zone_names
from service.web.ports import Choice, Desk, Reader
from service.web.request_bodies import read_form

SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The page behind every preferences link."""

    desk: Desk
    pages: Pages

    async def show(self, request: Request) -> Response:
        """Show how things stand; changes nothing."""
        reader = await self._reader(request)
        saved = SAVED in request.query_params
        return self._page(request, reader, self._forms(reader), saved=saved)

    async def act(self, request: Request) -> Response:
        """Store what the form says, or show it again with what is wrong; then nothing is stored."""
        reader = await self._reader(request)
        fields = await read_form(request)
        if fields.get("leave") == ["everything"]:
            await self.desk.leave(reader, None)
            return _back()
        choices: list[Choice] = []
        forms: list[NewsletterForm] = []
        for before in self._forms(reader):
            # A part that did not come back at all belongs to a newsletter that came while they were typing.
            if f"{before.id}.status" not in fields:
                continue
            form, choice = self._judged(reader, filled_in(before, fields))
            forms.append(form)
            choices += [choice] if choice else []
        if any(form.problems for form in forms):
            return self._page(request, reader, forms, status=422)
        await self.desk.keep(reader, choices)
        return _back()

    def _judged(self, reader: Reader, form: NewsletterForm) -> tuple[NewsletterForm, Choice | None]:
        """Return the form with its problems, and what it says when it has none."""
        membership = reader.membership(form.id)
        if membership is None:
            return form, None
        if STATUSES[form.status] is SubscriptionStatus.UNSUBSCRIBED:
            # Whoever leaves need not fill in the rest well.
            wishes = membership.subscription.wishes
            return replace(form, problems={}), Choice(form.id, SubscriptionStatus.UNSUBSCRIBED, wishes)
        choice = choice_of(form, membership.edition)
        problems = {**self.desk.problems(choice, membership.subscriber.timezone), **form.problems}
        return replace(form, problems=problems), choice

    def _forms(self, reader: Reader) -> list[NewsletterForm]:
        """Return their newsletters that there still are, the one whose mail they came from first."""
        found = [
            shown(membership, newsletter, self.desk.topics)
            for membership in reader.memberships
            if membership.subscription.status is not SubscriptionStatus.ENDED
            and (newsletter := self.desk.newsletter(membership.subscription.newsletter))
        ]
        return sorted(found, key=lambda form: form.id != reader.newsletter)

    def _page(
        self,
        request: Request,
        reader: Reader,
        forms: Sequence[NewsletterForm],
        *,
        saved: bool = False,
        status: int = 200,
    ) -> Response:
        words = self._words(request, reader)
        return self.pages.page(
            "preferences.html",
            words,
            status=status,
            address=masked(reader.memberships[0].subscriber.email),
            forms=forms,
            zones=zone_names(),
            saved=saved and status == 200,
            suppressed=any(m.suppressed is not None for m in reader.memberships),
        )

    def _words(self, request: Request, reader: Reader) -> Words:
        membership = reader.membership(reader.newsletter) or reader.memberships[0]
        return self.pages.words(request, membership.edition.language)

    async def _reader(self, request: Request) -> Reader:
        reader = await self.desk.chooser(request.path_params["token"])
        if reader is None:
            raise HTTPException(404)
        if not reader.memberships:
            raise HTTPException(410)
        return reader


def _back() -> Response:
    """Return the way back to the page, so that a reload does not send the form again (RFC 9110, 15.4.4)."""
    return RedirectResponse(f"?{SAVED}", 303, PERSONAL)
