"""Delivering: the deliver room with its production parts."""

from __future__ import annotations

from service.deliver.channels import ChannelSettings, channel
from service.deliver.leases import Terms
from service.deliver.message import Links, MailMaker
from service.deliver.relay import Relay
from service.deliver.stage import Deliverer
from service.people.links import reader_links
from service.settings.values import Settings, SmtpSettings
from service.store.database import Database
from service.store.deliver import DeliverRecords


def deliverer_of(settings: Settings, database: Database, key: bytes) -> Deliverer:
    """Return deliver, ready to work; `key` signs the links in each mail."""
    mail = settings.mail

    def links(subscriber_id: str, newsletter: str) -> Links:
        theirs = reader_links(key, settings.site.url, subscriber_id, newsletter)
        return Links(theirs.unsubscribe, theirs.preferences, theirs.token)

    return Deliverer(
        DeliverRecords(database),
        channel(mail.channel, ChannelSettings(mail.folder, relay_of(mail.smtp))),
        MailMaker(settings.site, links),
        Terms(resend_uncertain=mail.on_uncertain == "resend"),
    )


def relay_of(smtp: SmtpSettings) -> Relay:
    """Return the relay that the settings describe."""
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
