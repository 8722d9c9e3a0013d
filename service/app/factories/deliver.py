"""The deliver stage with its production parts."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial

from service.bounces.verp import return_paths
from service.deliver.channels.registry import ChannelSettings, build_channel, build_nothing
from service.deliver.channels.smtp.settings import Relay
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.deliver.message.dkim import DkimSigner
from service.deliver.message.dkim_pool import PresignedMessages
from service.deliver.ports import Channel, MessageFactory, Prepare, RateLimits
from service.deliver.stage import Deliverer
from service.settings.values import Settings, SmtpSettings
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.subscribers.links import subscriber_links
from service.subscribers.sign_up import confirm_url


def deliverer_of(settings: Settings, database: Database, key: bytes, executor: Executor) -> Deliverer:
    """Return the deliver stage. `key` signs links and return paths; `executor` makes DKIM signatures.

    Raises CaveatError for an unreadable DKIM key.
    """
    mail = settings.mail

    def links(subscriber_id: str, newsletter: str) -> MailLinks:
        theirs = subscriber_links(key, settings.site.url, subscriber_id, newsletter)
        return MailLinks(theirs.unsubscribe, theirs.preferences, theirs.token)

    store = SqlDeliverStore(database)
    build = MessageBuilder(
        settings.site,
        links,
        return_paths(key, mail.bounces.address) if mail.bounces.address else None,
        signers=[DkimSigner.from_file(own.domain, own.selector, own.key_file) for own in mail.dkim],
        repeat_header=mail.smtp.repeat_header,
        confirm_link=partial(confirm_url, key, settings.site.url),
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


def channel_of(
    settings: Settings, build_message: MessageFactory = build_nothing, prepare: Prepare | None = None
) -> Channel:
    """Return the channel of the settings. Without `build_message` it answers questions and sends nothing."""
    mail = settings.mail
    parts = ChannelSettings(mail.folder, relay_of(mail.smtp), rate_limits_of(mail.smtp))
    return build_channel(mail.channel, parts, build_message, prepare)


def rate_limits_of(smtp: SmtpSettings) -> RateLimits:
    """Return the rate limits of the settings."""
    return RateLimits(smtp.per_second, smtp.per_minute, smtp.per_domain_minute, smtp.domains)


def relay_of(smtp: SmtpSettings) -> Relay:
    """Return the SMTP relay of the settings."""
    return Relay(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=smtp.username,
        password=smtp.password.reveal(),
        connections=smtp.connections,
        hello=smtp.hello,
        authority=str(smtp.authority) if smtp.authority else None,
    )
