"""Issue refusals: whether a server refuses one message of an issue or the whole issue (pure).

A refusal of the message (too large, content rejected) is final only when other recipients got the same issue.
When the first messages of an issue are all refused for one cause, the cause is the issue or the server's
limit: the issue is to be paused, and no delivery is recorded as refused.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto

from service.core.model import RefusalCause, Refused
from service.deliver.limits.refusal_evidence import MIN_RECIPIENTS, concerns_all_mail

MAX_ISSUES = 64  # kept in memory; several are sent at a time, and older ones are finished


class RefusalAction(Enum):
    """What to do with a refused message."""

    FINAL = auto()  # record it as refused
    RETRY = auto()  # too early to decide
    PAUSE_ISSUE = auto()  # the whole issue is refused


@dataclass(slots=True)
class _IssueState:
    accepted: bool = False
    cause: str = ""
    recipients: set[str] = field(default_factory=set)


class IssueRefusals:
    """Acceptances and refusals of the messages of each issue, in this process."""

    def __init__(self) -> None:
        self._issues: OrderedDict[str, _IssueState] = OrderedDict()

    def record_accepted(self, issue_id: str) -> None:
        """Count a message of the issue that was sent."""
        issue = self._issues.get(issue_id) or self._issue(issue_id)
        issue.accepted = True

    def record_refused(self, issue_id: str, recipient: str, refusal: Refused) -> RefusalAction:
        """Count a refused message; return what to do with it.

        A refusal for size is never final: the operator can raise the limit, and retries end after three days.
        """
        issue, too_large = self._issue(issue_id), refusal.cause is RefusalCause.SIZE
        if issue.accepted:
            return RefusalAction.RETRY if too_large else RefusalAction.FINAL
        cause = _cause(refusal)
        if cause != issue.cause:
            issue.cause, issue.recipients = cause, set()
        if recipient in issue.recipients:
            return RefusalAction.RETRY if too_large else RefusalAction.FINAL
        issue.recipients.add(recipient)
        # A limit that the server announces applies to every recipient; a reply may be one domain's.
        announced = too_large and not refusal.reply[:3].isdigit()
        if not (
            concerns_all_mail(issue.recipients) or (announced and len(issue.recipients) >= MIN_RECIPIENTS)
        ):
            return RefusalAction.RETRY
        del self._issues[issue_id]
        return RefusalAction.PAUSE_ISSUE

    def _issue(self, issue_id: str) -> _IssueState:
        issue = self._issues.setdefault(issue_id, _IssueState())
        self._issues.move_to_end(issue_id)
        if len(self._issues) > MAX_ISSUES:
            self._issues.popitem(last=False)
        return issue


def _cause(refusal: Refused) -> str:
    """Return a key that is equal for refusals of one cause: size, or the reply codes."""
    if refusal.cause is RefusalCause.SIZE:
        return refusal.cause
    code, _, rest = refusal.reply.partition(" ")
    status = rest.partition(" ")[0]
    return f"{code} {status}" if status[:2] in {"5.", "4."} else code


def issue_pause_sentence(refusal: Refused, issue: str) -> str:
    """Return the sentence for the operator about a paused issue; `issue` is its shortened id."""
    cure = "the cause is removed"
    if refusal.cause is RefusalCause.SIZE:
        cure = "the server takes larger messages (Postfix: message_size_limit) or our mails are smaller"
    return (
        f"issue {issue} is paused, because the mail server refuses every message of it: {refusal.reply}; "
        f"no delivery is recorded as refused, and other issues go on; once {cure}, "
        f"caveat issue resume {issue} sends it"
    )
