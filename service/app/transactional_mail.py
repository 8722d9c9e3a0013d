"""Transactional mail: planned as an issue with one delivery, so that it is sent and retried like others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from service.app.factories.templates import template_folders
from service.core import ids as identity
from service.core.model import Issue, MailKind, Membership, RenderedMail, Roster, SubscriptionStatus
from service.settings.values import Settings
from service.store.limits import SqlAttemptStore
from service.store.transactional import SqlSignUpStore
from service.subscribers.sign_up import UNSUBSCRIBE_MAIL_LIMIT, attempt_limit, mailbox_key

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.compose.render.transactional import TransactionalRenderer


def transactional_renderer(settings: Settings) -> TransactionalRenderer:
    """Return the renderer of transactional mail."""
    from service.compose.render.transactional import TransactionalRenderer  # noqa: PLC0415 - jinja2 and babel

    templates, custom = template_folders(settings)
    return TransactionalRenderer(templates, settings.site, custom)


def transactional_issue(
    kind: MailKind, rendered: RenderedMail, newsletter: str, subscriber_id: str, at: datetime
) -> Issue:
    """Return the mail as an issue, whose id depends on kind, newsletter, subscriber and time alone."""
    return Issue(
        id=identity.content_id("transactional", kind.value, newsletter, subscriber_id, at.isoformat()),
        newsletter=newsletter,
        edition_key="",
        occurrence=kind.value,
        due_at=at,
        served_from=0,
        served_through=0,
        rendered=rendered,
        article_ids=(),
        created_at=at,
        kind=kind,
    )


async def plan_unsubscribe_question(app: Application, email: str, now: datetime) -> bool:
    """Plan the mail that asks a subscriber whether they want to unsubscribe; return whether it was planned.

    It answers an unsubscribe mail without a token, whose sender can be forged: such a mail ends nothing. An
    address without a subscription, or at its limit, gets no question.
    """
    running = [
        membership
        for membership in await app.subscribers.memberships(email=email)
        if membership.subscription.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)
    ]
    if not running:
        return False
    key = await app.subscribers.signing_key()
    limited = attempt_limit(key, "unsubscribe-mail", mailbox_key(email), UNSUBSCRIBE_MAIL_LIMIT)
    if not await SqlAttemptStore(app.database).allows([limited], now):
        return False
    mail, channel = (
        _unsubscribe_mail(app.settings, app.roster, running[0], now),
        app.settings.mail.channel,
    )
    await SqlSignUpStore(app.database).plan_mail(mail, running[0].subscriber, channel)
    await app.notify_workers("deliver", 1)
    return True


def _unsubscribe_mail(settings: Settings, roster: Roster, membership: Membership, now: datetime) -> Issue:
    newsletter, edition = membership.subscription.newsletter, membership.edition
    declared = roster.newsletter(newsletter)
    title = declared.title if declared else newsletter
    rendered = transactional_renderer(settings).unsubscribe(
        title, language=edition.language, timezone=edition.timezone
    )
    return transactional_issue(MailKind.UNSUBSCRIBE, rendered, newsletter, membership.subscriber.id, now)
