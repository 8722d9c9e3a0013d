"""Webhooks block: the entries of `webhooks` in caveat.yaml."""

from __future__ import annotations

import binascii
import os
import re
import stat
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from service.core.errors import Fault
from service.core.secret import Secret
from service.settings.field_types import ConfigBlock, Label, wrong_value
from service.settings.values import WebhookSettings
from service.settings.yaml.document import YamlDocument

SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+=*)")
SECRET_BYTES = range(24, 65)
HOW_TO_MAKE = '"whsec_$(openssl rand -base64 32)"'
MAX_SECRET_FILE_BYTES = 1_000
MAX_WEBHOOKS = 50

EventName = Literal["issue.sent", "delivery.refused", "subscriber.unsubscribed", "feed.failing"]


def read_webhook_url(text: str) -> str:
    """Return the address of a webhook. A login in it is an error."""
    expected = "an address such as https://crm.example.org/hooks/caveat"
    try:
        parts = urlsplit(text)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or re.search(r"[\s<>\"\\^`{|}\x00-\x1f\x7f]", text):
        raise wrong_value(f"{text!r} is not a web address", expected)
    if parts.username is not None or parts.password is not None:
        raise wrong_value("the address contains a login", f"{expected}; the signature proves who sends")
    return text


class WebhookBlock(ConfigBlock):
    """A program that is told about events by HTTP."""

    url: Annotated[str, AfterValidator(read_webhook_url)] = Field(
        description="The address that gets the messages by POST. A private one needs fetch.allow_private "
        "as well.",
        examples=["https://crm.example.org/hooks/caveat"],
    )
    events: Annotated[list[EventName], Field(min_length=1)] = Field(
        description="The events: issue.sent, delivery.refused, subscriber.unsubscribed, feed.failing.",
        examples=[["issue.sent", "subscriber.unsubscribed"]],
    )
    secret_file: Label = Field(
        description="The file with the secret that signs the messages, relative to this folder: `whsec_` and "
        "the Base64 of 24 to 64 random bytes.",
        examples=["webhook.secret"],
    )


def built_webhooks(
    blocks: Sequence[WebhookBlock], folder: Path, written: YamlDocument
) -> tuple[tuple[WebhookSettings, ...], list[Fault], list[Fault]]:
    """Return the webhooks with their secrets, the faults and the warnings."""
    found: dict[str, WebhookSettings] = {}
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for number, block in enumerate(blocks):
        path = (folder / Path(block.secret_file).expanduser()).resolve()
        here = ("webhooks", number, "secret_file")
        secret, problem = _secret_in(path)
        if problem:
            faults.append(written.fault_at_path(here, problem, f"a file with {HOW_TO_MAKE}"))
        elif path.stat().st_mode & stat.S_IROTH:
            what = f"every user of this machine can read {path}"
            warnings.append(written.fault_at_path(here, what, f"`chmod 600 {path}`"))
        if block.url in found:
            at = ("webhooks", number, "url")
            faults.append(
                written.fault_at_path(at, "this address is listed twice", "one entry for each address")
            )
        found[block.url] = WebhookSettings(block.url, tuple(sorted(set(block.events))), secret)
    return tuple(found.values()), faults, warnings


def _secret_in(path: Path) -> tuple[Secret, str]:
    """Return the secret in the file and "", or an empty one and what is wrong."""
    if not (path.is_file() and os.access(path, os.R_OK)):
        return Secret(), f"{path} cannot be read"
    with path.open("rb") as opened:
        text = opened.read(MAX_SECRET_FILE_BYTES).decode("ascii", "replace").strip()
    match = SECRET.fullmatch(text)
    try:
        size = len(b64decode(match[1], validate=True)) if match else 0
    except binascii.Error:
        size = 0
    if size not in SECRET_BYTES:
        return Secret(), f"{path} does not hold the secret of a webhook"
    return Secret(text), ""
