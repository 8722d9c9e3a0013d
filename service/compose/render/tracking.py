"""Remove from a link what only tells its publisher where a reader came from (pure).

The list is short and of whole names: the lists of link cleaners also match names such as `ref`, `source` or
`gallery`, which choose the page on other sites. Unlike the list of `core.ids`, on which ids depend and which
therefore never changes, this list may grow.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

PREFIXES = ("utm_", "mtm_", "matomo_", "piwik_", "hsa_", "itm_", "at_custom", "at_link", "at_bbc")
"""Of Google, Matomo, HubSpot and AT Internet."""

NAMES = frozenset(
    [
        *(
            "fbclid",
            "gclid",
            "gclsrc",
            "dclid",
            "gbraid",
            "wbraid",
            "gad_source",
            "gad_campaignid",
            "srsltid",
        ),
        *("msclkid", "yclid", "_openstat", "ttclid", "twclid", "li_fat_id", "igshid", "igsh", "mibextid"),
        *(
            "mc_cid",
            "mc_eid",
            "mkt_tok",
            "_hsenc",
            "_hsmi",
            "__hssc",
            "__hstc",
            "__hsfp",
            "vero_id",
            "vero_conv",
        ),
        *(
            "oly_enc_id",
            "oly_anon_id",
            "wickedid",
            "s_cid",
            "cmpid",
            "ns_mchannel",
            "ns_campaign",
            "ocid",
            "smid",
            "xtor",
            "wt_mc",
            "wt.mc_id",
        ),
        *(
            "at_medium",
            "at_campaign",
            "at_format",
            "at_ptr_name",
            "at_send_date",
            "at_creation",
            "at_campaign_type",
        ),
        *("pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium", "pk_content", "pk_cid", "spm"),
    ]
)
ORIGINS = frozenset(["ref", "source", "src", "from", "via", "partner", "emc", "mod", "cmp", "cid", "origin"])
"""Names that track if their value says that the link is from a feed, and else may choose the page."""

SIGNATURES = frozenset(["signature", "sig", "hmac", "x-amz-signature", "x-goog-signature"])
"""Names of a signature over the whole query, which must then stay as it is."""

_FROM_FEED = re.compile(r"(?:rss|atom)(?![a-z])|rssfeed|feed$")


def without_tracking(query: str) -> str:
    """Return a query, or a fragment in the form of one, without its tracking parameters.

    The other parameters keep their order and spelling.
    """
    if "=" not in query:
        return query
    parameters = query.split("&")
    if any(_name(parameter) in SIGNATURES for parameter in parameters):
        return query
    return "&".join(parameter for parameter in parameters if not _tracks(parameter))


def _name(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0]).lower()


def _tracks(parameter: str) -> bool:
    name = _name(parameter)
    if name in NAMES or name.startswith(PREFIXES):
        return True
    value = unquote_plus(parameter.partition("=")[2]).lower()
    return name in ORIGINS and _FROM_FEED.match(value) is not None
