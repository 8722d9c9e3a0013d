"""Preferences: a reader's own page, where every newsletter of theirs can be changed, paused or left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.core.model import SubscriptionStatus
from service.text.i18n import Localizer
from service.web.forms import STATUSES, NewsletterForm, preference_change, stored_form, submitted_form
from service.web.pages import NO_STORE_HEADERS, Pages, masked, zone_names
from service.web.ports import LinkedSubscriber, PreferenceChange, SelfServicePort
from service.web.request_bodies import read_form

SAVED = "saved"


@dataclass(frozen=True, slots=True)
class PreferencesPages:
    """The page behind every preferences link."""

    desk: SelfServicePort
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
            await self.desk.unsubscribe(reader, None)
            return _back()
        choices: list[PreferenceChange] = []
        forms: list[NewsletterForm] = []
        for before in self._forms(reader):
            # A part that did not come back at all belongs to a newsletter that came while they were typing.
            if f"{before.id}.status" not in fields:
                continue
            form, choice = self._judged(reader, submitted_form(before, fields))
            forms.append(form)
            choices += [choice] if choice else []
        if any(form.problems for form in forms):
            return self._page(request, reader, forms, status=422)
        await self.desk.save_preferences(reader, choices)
        return _back()

    def _judged(
        self, reader: LinkedSubscriber, form: NewsletterForm
    ) -> tuple[NewsletterForm, PreferenceChange | None]:
        """Return the form with its problems, and what it says when it has none."""
        membership = reader.membership(form.id)
        if membership is None:
            return form, None
        if STATUSES[form.status] is SubscriptionStatus.UNSUBSCRIBED:
            # Whoever leaves need not fill in the rest well.
            wishes = membership.subscription.preferences
            return replace(form, problems={}), PreferenceChange(
                form.id, SubscriptionStatus.UNSUBSCRIBED, wishes
            )
        choice = preference_change(form, membership.edition)
        problems = {**self.desk.problems(choice, membership.subscriber.timezone), **form.problems}
        return replace(form, problems=problems), choice

    def _forms(self, reader: LinkedSubscriber) -> list[NewsletterForm]:
        """Return their newsletters that there still are, the one whose mail they came from first."""
        found = [
            stored_form(membership, newsletter, self.desk.topics)
            for membership in reader.memberships
            if membership.subscription.status is not SubscriptionStatus.ENDED
            and (newsletter := self.desk.newsletter(membership.subscription.newsletter))
        ]
        return sorted(found, key=lambda form: form.id != reader.newsletter)

    def _page(
        self,
        request: Request,
        reader: LinkedSubscriber,
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

    def _words(self, request: Request, reader: LinkedSubscriber) -> Localizer:
        membership = reader.membership(reader.newsletter) or reader.memberships[0]
        return self.pages.words(request, membership.edition.language)

    async def _reader(self, request: Request) -> LinkedSubscriber:
        reader = await self.desk.read_preferences_link(request.path_params["token"])
        if reader is None:
            raise HTTPException(404)
        if not reader.memberships:
            raise HTTPException(410)
        return reader


def _back() -> Response:
    """Return the way back to the page, so that a reload does not send the form again (RFC 9110, 15.4.4)."""
    return RedirectResponse(f"?{SAVED}", 303, NO_STORE_HEADERS)
