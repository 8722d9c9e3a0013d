"""Disclosure: what a configured judge is sent and where, in one sentence for the operator."""

from __future__ import annotations

from service.settings.values import JudgeSettings


def what_leaves(judge: JudgeSettings) -> str:
    """Return what the judge is sent and whether it leaves this machine, as a clause."""
    sent = f"the headline and sentences of each article of the next issues go to {judge.model} at {judge.url}"
    where = ", which is this machine" if judge.is_local else " and leave this machine"
    return f"{sent}{where}; nothing about subscribers does"
