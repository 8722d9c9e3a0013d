"""The body and the signed headers of a message (Standard Webhooks 1.0), pure."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime

from service.core.model import WebhookMessage
from service.core.secret import Secret

SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret, not one


def message_body(message: WebhookMessage) -> bytes:
    """Return the JSON body; it is the same at each attempt."""
    value = {
        "type": message.event.value,
        "timestamp": message.created_at.isoformat(),
        "data": dict(message.data),
    }
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def signed_headers(message: WebhookMessage, body: bytes, secret: Secret, now: datetime) -> Mapping[str, str]:
    """Return the headers: id, time of this attempt, and the HMAC-SHA256 of both with the body."""
    sent_at = str(int(now.timestamp()))
    key = b64decode(secret.reveal().removeprefix(SECRET_PREFIX))
    signed = f"{message.id}.{sent_at}.".encode() + body
    digest = hmac.new(key, signed, "sha256").digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
