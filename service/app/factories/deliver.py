"""The deliver stage with its production parts."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial

from service.app.factories.channels import channel_of, personal_channel_of
from service.bounces.verp import return_paths
from service.core.archive_links import NONE, IssueLinks, issue_links
from service.core.model import Roster
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.deliver.message.dkim import DkimSigner
from service.deliver.message.dkim_pool import PresignedMessages
from service.deliver.stage import Deliverer
from service.settings.values import Settings
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.subscribers.links import subscriber_links
from service.subscribers.sign_up import confirm_url


def deliverer_of(
    settings: Settings, roster: Roster, database: Database, key: bytes, executor: Executor
) -> Deliverer:
    """Return the deliver stage. `key` signs links and return paths; `executor` makes DKIM signatures.

    Raises CaveatError for an unreadable DKIM key.
    """
    mail = settings.mail

    def links(subscriber_id: str, newsletter: str) -> MailLinks:
        theirs = subscriber_links(key, settings.site.url, subscriber_id, newsletter)
        return MailLinks(theirs.unsubscribe, theirs.preferences, theirs.token)

    def pages(issue_id: str, newsletter: str) -> IssueLinks:
        # The link of a newsletter that the roster no longer has leads nowhere, but a mail must have one.
        found = roster.newsletter(newsletter)
        return issue_links(key, settings.site.url, issue_id, found.archive if found else NONE)

    store = SqlDeliverStore(database)
    build = MessageBuilder(
        settings.site,
        links,
        return_paths(key, mail.bounces.address) if mail.bounces.address else None,
        signers=[DkimSigner.from_file(own.domain, own.selector, own.key_file) for own in mail.dkim],
        repeat_header=mail.smtp.repeat_header,
        confirm_link=partial(confirm_url, key, settings.site.url),
        issue_links=pages,
    )
    ahead = PresignedMessages(build, store, executor) if mail.dkim else None
    channel = channel_of(settings, ahead or build, ahead.prepare if ahead else None)
    has_server = bool(channel.server)
    return Deliverer(
        store,
        channel,
        DeliverPolicy(resend_uncertain=mail.on_uncertain == "resend"),
        RateLimiter(channel.rate_limits, shared=has_server),
        CircuitBreaker(shared=has_server),
        coordination_store=SqlCoordination(database) if has_server else None,
        relay=channel.server,
    )


def personal_deliverer(
    name: str, settings: Settings, roster: Roster, database: Database, key: bytes
) -> Deliverer:
    """Return deliver for a channel that subscribers chose for themselves, by its name."""
    policy = DeliverPolicy(resend_uncertain=settings.mail.on_uncertain == "resend")
    channel = personal_channel_of(name, settings, roster, key)
    return Deliverer(SqlDeliverStore(database), channel, policy)
