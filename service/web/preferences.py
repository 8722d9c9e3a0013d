"""Preferences page: a subscriber changes, pauses or leaves each of their newsletters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.app.self_service import LinkedSubscriber, SelfService
from service.core.model import Consent, ConsentWay, SubscriptionStatus
from service.text.i18n import Localizer
from service.web.forms import NewsletterForm, preference_change, stored_form, submitted_form
from service.web.pages import NO_STORE_HEADERS, Pages, masked, zone_names
from service.web.request_bodies import read_form
from service.web.sign_up.form import offer_of
from service.web.sign_up.schedule_words import next_words, schedule_words

SAVED = "saved"
"""Query parameter of the address that a saved form redirects to."""


@dataclass(frozen=True, slots=True)
class PreferencesPages:
    """The page behind a preferences link."""

    self_service: SelfService
    pages: Pages

    async def show(self, request: Request) -> Response:
        """Show the stored preferences; store nothing."""
        subscriber = await linked_subscriber(self.self_service, request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        saved = SAVED in request.query_params
        return self._page(request, subscriber, self._stored_forms(subscriber), saved=saved)

    async def act(self, request: Request) -> Response:
        """Store the form, or store nothing and show it again with its problems."""
        subscriber = await linked_subscriber(self.self_service, request)
        fields = await read_form(request)
        if subscriber.is_test:
            return self.pages.message(request, "test_mail")
        if fields.get("leave") == ["everything"]:
            await self.self_service.unsubscribe(subscriber, None)
            return _redirect_to_page()
        if "join" in fields:
            return await self._joined(request, subscriber, fields["join"][0])
        forms = [
            submitted_form(form, fields)
            for form in self._stored_forms(subscriber)
            # A newsletter that was added while the page was open is not in the submitted form.
            if f"{form.id}.status" in fields
        ]
        problems = await self.self_service.save_preferences(
            subscriber,
            [preference_change(form) for form in forms],
            dry_run=any(form.problems for form in forms),
        )
        forms = [replace(form, problems={**problems.get(form.id, {}), **form.problems}) for form in forms]
        if any(form.problems for form in forms):
            return self._page(request, subscriber, forms, status=422)
        return _redirect_to_page()

    async def _joined(self, request: Request, subscriber: LinkedSubscriber, newsletter_id: str) -> Response:
        """Subscribe them to one more newsletter; the record of consent has what the page said about it."""
        labels = self._labels(request, subscriber)
        offers = [offer_of(one, "", labels) for one in self.self_service.joinable(subscriber)]
        shown = next((offer.shown for offer in offers if offer.newsletter.id == newsletter_id), "")
        consent = Consent(ConsentWay.PREFERENCES, shown, labels.language)
        if not await self.self_service.join(subscriber, newsletter_id, consent):
            raise HTTPException(404)
        return _redirect_to_page()

    def _labels(self, request: Request, subscriber: LinkedSubscriber) -> Localizer:
        first = subscriber.membership(subscriber.newsletter) or subscriber.memberships[0]
        return self.pages.labels(request, first.edition.language)

    def _stored_forms(self, subscriber: LinkedSubscriber) -> list[NewsletterForm]:
        """Return a form for each newsletter of the roster, first the one whose mail had the link."""
        forms = [
            stored_form(
                membership,
                newsletter,
                self.self_service.topics,
                self.self_service.languages(newsletter),
                self.pages.languages,
            )
            for membership in subscriber.memberships
            if membership.subscription.status is not SubscriptionStatus.ENDED
            and (newsletter := self.self_service.newsletter(membership.subscription.newsletter))
        ]
        return sorted(forms, key=lambda form: form.id != subscriber.newsletter)

    def _page(
        self,
        request: Request,
        subscriber: LinkedSubscriber,
        forms: Sequence[NewsletterForm],
        *,
        saved: bool = False,
        status: int = 200,
    ) -> Response:
        first = subscriber.membership(subscriber.newsletter) or subscriber.memberships[0]
        labels = self._labels(request, subscriber)
        return self.pages.page(
            "preferences.html",
            labels,
            status=status,
            address=masked(first.subscriber.email),
            forms=forms,
            next_issues=_next_issues(subscriber, labels, self.self_service.clock()),
            schedule_sentence=partial(schedule_words, labels),
            zones=zone_names(),
            joinable=[offer_of(one, "", labels) for one in self.self_service.joinable(subscriber)],
            own_path=request.path_params["token"],
            language_name=labels.language_name,
            saved=saved and status == 200,
            suppressed=any(m.suppressed is not None for m in subscriber.memberships),
        )


async def linked_subscriber(self_service: SelfService, request: Request) -> LinkedSubscriber:
    """Return the subscriber of the preferences link in the path.

    Raises HTTPException: 404 for a token that this service did not sign, 410 when nothing is stored of them.
    """
    subscriber = await self_service.read_preferences_link(request.path_params["token"])
    if subscriber is None:
        raise HTTPException(404)
    if not subscriber.memberships and not subscriber.is_test:
        raise HTTPException(410)
    return subscriber


def _next_issues(subscriber: LinkedSubscriber, labels: Localizer, now: datetime) -> dict[str, str]:
    """Return when the next issue comes, in words, by newsletter (id), where one is due."""
    return {
        membership.subscription.newsletter: next_words(
            labels, membership.subscription.next_due_at, membership.edition.timezone, now
        )
        for membership in subscriber.memberships
        if membership.subscription.status is SubscriptionStatus.ACTIVE
        or membership.subscription.paused_until is not None
    }


def _redirect_to_page() -> Response:
    """Return a redirect, so that a reload does not submit the form again (RFC 9110, 15.4.4)."""
    return RedirectResponse(f"?{SAVED}", 303, NO_STORE_HEADERS)
