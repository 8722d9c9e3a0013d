"""Registry: the methods that select key points, by name; each is imported at its first use.

A new method is a module with a class that implements Summarizer, and a line here.
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
        "lead": "service.condense.methods.lead:Lead",
        "lexrank": "service.condense.methods.sumy_methods:LexRank",
        "lsa": "service.condense.methods.sumy_methods:Lsa",
        "luhn": "service.condense.methods.sumy_methods:Luhn",
        "textrank": "service.condense.methods.sumy_methods:TextRank",
    }
)
"""Method -> its module and class, as text: numpy and sumy take a second or two to import."""


@cache
def get_summarizer(name: str) -> Summarizer:
    """Return the one instance of the method of that name. Raises UnknownName."""
    if name not in SUMMARIZERS:
        raise UnknownName("summarizer", name, SUMMARIZERS)
    module, _, class_name = SUMMARIZERS[name].partition(":")
    return cast("Summarizer", getattr(import_module(module), class_name)())
