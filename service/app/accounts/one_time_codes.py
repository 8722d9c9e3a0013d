"""One-time codes of an authenticator app: TOTP (RFC 6238) with 6 digits and 30 seconds (EDGE: pyotp)."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp

from service.core.secret import Secret

STEP_SECONDS = 30
CLOCK_DRIFT_STEPS = 1
"""Steps by which the clock of a phone may differ (RFC 6238, 5.2)."""

_CODE = re.compile(r"\d{6}", re.ASCII)


def new_secret() -> Secret:
    """Return a random secret for an authenticator app, in Base32."""
    return Secret(pyotp.random_base32())


def enrolment_url(secret: Secret, account: str, site: str) -> str:
    """Return the address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret.reveal()).provisioning_uri(name=account, issuer_name=site)


def code_step(secret: Secret, code: str, now: datetime) -> int | None:
    """Return the time step that a code belongs to; None for a wrong or expired one.

    The caller has to refuse a step that was used before: a code works once (RFC 6238, 5.2).
    """
    given = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(given):
        return None
    current, maker = int(now.timestamp()) // STEP_SECONDS, pyotp.HOTP(secret.reveal())
    matching = [
        step
        for step in range(current - CLOCK_DRIFT_STEPS, current + CLOCK_DRIFT_STEPS + 1)
        if hmac.compare_digest(maker.at(step), given)
    ]
    return matching[-1] if matching else None
