"""Summarizers: the methods that pick key points, by name. Each is loaded when it is asked for.

A new method is a file with a class that keeps the Summarizer contract, and a line here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import cast

from service.condense.ports import Summarizer
from service.core.errors import UnknownName

SUMMARIZERS = MappingProxyType(
    {
        "keypoints": "service.condense.keypoints:KeyPoints",
        "lead": "service.condense.lead:Lead",
        "lexrank": "service.condense.sumy_methods:LexRank",
        "lsa": "service.condense.sumy_methods:Lsa",
        "luhn": "service.condense.sumy_methods:Luhn",
        "textrank": "service.condense.sumy_methods:TextRank",
    }
)
"""Method -> where its class is. Names rather than classes: numpy and sumy take a second or two to import."""


@cache
def get_summarizer(name: str) -> Summarizer:
    """Return the method of that name, the same object every time. Raises UnknownName."""
    if name not in SUMMARIZERS:
        raise UnknownName("summarizer", name, SUMMARIZERS)
    module, _, found = SUMMARIZERS[name].partition(":")
    return cast("Summarizer", getattr(import_module(module), found)())
