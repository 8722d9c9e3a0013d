"""What each stage asks of the outside: small Protocols, each owned by the stage that consumes it.

Instants are aware UTC datetimes. Every `record_*` is one transaction, and harmless when it is repeated.
"""

from service.core.contracts.compose import (
    ComposeStore,
    Edited,
    Renderer,
    Sources,
    Splitter,
    StoryStore,
    Teller,
)
from service.core.contracts.condense import CondenseStore, Setback, Summarizer
from service.core.contracts.deliver import (
    AccordStore,
    Again,
    BounceStore,
    Channel,
    DeliverStore,
    Halt,
    LearnedRate,
    Mark,
    MessageMaker,
    Outbox,
)
from service.core.contracts.gather import (
    Answer,
    Failed,
    Fetched,
    Fetcher,
    GatherStore,
    Gone,
    Look,
    NotModified,
)
from service.core.contracts.people import (
    ERASED,
    OWN_WISH,
    Applied,
    Limited,
    LimitStore,
    PeopleStore,
    SignUpStore,
)
from service.core.contracts.progress import Progress, silent

__all__ = [
    "ERASED",
    "OWN_WISH",
    "AccordStore",
    "Again",
    "Answer",
    "Applied",
    "BounceStore",
    "Channel",
    "ComposeStore",
    "CondenseStore",
    "DeliverStore",
    "Edited",
    "Failed",
    "Fetched",
    "Fetcher",
    "GatherStore",
    "Gone",
    "Halt",
    "LearnedRate",
    "LimitStore",
    "Limited",
    "Look",
    "Mark",
    "MessageMaker",
    "NotModified",
    "Outbox",
    "PeopleStore",
    "Progress",
    "Renderer",
    "Setback",
    "SignUpStore",
    "Sources",
    "Splitter",
    "StoryStore",
    "Summarizer",
    "Teller",
    "silent",
]
