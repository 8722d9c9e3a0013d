"""Disclosure: what a configured judge is sent and where, in one sentence for the operator."""

from __future__ import annotations

from service.settings.values import JudgeSettings


def what_leaves(judge: JudgeSettings) -> str:
    """Return what the judge is sent, and whether it leaves this machine."""
    sent = f"the headline and sentences of each article of the next issues go to {judge.model} at {judge.url}"
    if judge.is_local:
        return f"condense.judge is set: {sent}, which is this machine; nothing about subscribers does."
    return f"condense.judge is set: {sent} and leave this machine; nothing about subscribers does."
