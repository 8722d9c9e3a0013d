"""Bounces: what the doors ask of the deliver room about mails that came back."""

from __future__ import annotations

from service.deliver.bounces import Bounce, read_bounce

__all__ = ["Bounce", "read_bounce"]
