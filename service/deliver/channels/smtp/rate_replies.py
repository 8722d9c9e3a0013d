"""Rate replies: which replies mean that we send too fast, and whose limit it is (pure).

The texts are those of Postfix (anvil), Exim, Exchange and Office 365, Gmail, Yahoo, Amazon SES, SendGrid,
Mailgun and others; tests/deliver/channels/smtp/test_rate_replies.py lists them. Greylisting is not a rate
limit, although it says "try again later"; nor is a limit of one mailbox or one connection.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.core.model import Throttle

if TYPE_CHECKING:
    from service.deliver.channels.smtp.replies import SmtpCommand

MAX_TEXT_CHARACTERS = 400

# These are not about our rate, whatever else the text says.
NOT_A_RATE_LIMIT = re.compile(
    r"gr[ae]y-?list"
    r"|\b(in|on|per|for) (this|one|a single|each) (smtp )?(connection|session|transaction)\b"
    r"|\b[45]\.5\.3\b"  # too many recipients of one message (RFC 3463)
    r"|too many (errors|hops|invalid|unknown|bad|failed|wrong|received)"
    r"|\b(user|recipient|mail ?box|account|inbox)\b[^.;]{0,60}\b(is )?(receiv|get)ing"
    r"|\brecipients?( has| have|'s)\b[^.;]{0,60}\b(exceed|limit)|\brecipient\b[^.;]{0,20}\brate"
)
# One provider's limit for its own recipients: Gmail, Yahoo, Outlook.com, Exchange Online.
DOMAIN_LIMIT = re.compile(
    r"\b4\.7\.(28|29|500|501|650|651|652)\b|\bunusual rate\b|\[tss?[0-9]{2}\]|\brp-00[0-9]\b"
    r"|\b(to|for) (this|that|the recipient'?s?) (domain|provider|destination)\b"
)
UNITS = r"(mails?|e-?mails?|messages?|recipients?|sends?|submissions?|deliver(y|ies))"
RATE_LIMIT = re.compile(
    rf"\btoo (much|many) ((concurrent|simultaneous|smtp|new|parallel|outgoing|open|auth) ){{0,3}}"
    rf"({UNITS}|connections?|sessions|requests|commands)\b"
    r"|\brate[- ]?limit|\brate limited|\boverlimit|throttl|\bslow down\b|\btoo (fast|quickly|frequent)"
    r"|\b(sending|submission|message|connection|mail|e-?mail|excessive|maximum) rate\b"
    r"|\b(sending|hourly|daily|messaging|submission|connections?|concurrency|account-daily)"
    r" ((user|sending|message|mail|recipient|outgoing) ){0,3}(rate|limits?|quota)\b"
    rf"|\b(limit|quota|max(imum)?|number) (for|of|on|number of) ((concurrent|server|sent|outgoing) ){{0,3}}"
    rf"({UNITS}|connections?)\b"
    rf"|\b{UNITS} (per|an?|this|each) (second|minute|hour|day)\b|\b(sending|messag\w{{1,4}}) limits?\b"
)
SERVER_SHORTAGE = re.compile(
    r"\b4\.3\.[12]\b|insufficient (system|disk)|(system|server) (is )?(overload|too busy|not accepting)"
    r"|queue file write error|(disk|queue) (is )?full"
)
# "452 4.5.3 too many recipients" without more text is about one message (RFC 5321, 4.5.3.1.10).
RECIPIENTS_OF_ONE_MESSAGE = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3} )?(error: )?too many recipients\W*")
# A limit for us as a client, which applies to every recipient.
ABOUT_CLIENT = re.compile(
    r"\btoo (much|many) [a-z]{1,20} from\b|throttling failure|\buser sending\b"
    r"|\b(submission|your|client|account|sender|you)\b|\byou'"
)


def throttle_of_line(line: str) -> Throttle | None:
    """Return `throttle_of` a reply that ended the connection, given as one line (code and text)."""
    code, _, text = line.partition(" ")
    return throttle_of(int(code), text, None) if len(code) == 3 and code.isdecimal() else None


def throttle_of(code: int, text: str, command: SmtpCommand | None) -> Throttle | None:
    """Return whose rate limit the reply is about, or None for a reply of another kind.

    `command` is the command that was answered, None for the connection itself. The reply to MAIL or to the
    connection is the relay's own; later a relay may pass on the reply of a recipient's provider.
    """
    if not 400 <= code < 600:
        return None
    words = " ".join(text[:MAX_TEXT_CHARACTERS].lower().split())
    if NOT_A_RATE_LIMIT.search(words):
        return None
    if DOMAIN_LIMIT.search(words):
        return Throttle.DOMAIN
    if RATE_LIMIT.search(words) and not RECIPIENTS_OF_ONE_MESSAGE.fullmatch(words):
        is_relay_limit = command is None or command == "MAIL" or ABOUT_CLIENT.search(words) is not None
        return Throttle.RELAY if is_relay_limit else Throttle.DOMAIN
    # A server that ends the connection for its own reasons (421) may accept another connection.
    if code < 500 and code != 421 and command != "RCPT" and SERVER_SHORTAGE.search(words):
        return Throttle.BUSY
    return None
