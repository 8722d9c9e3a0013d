"""Issues: what was sent, to whom, and what the mail servers answered."""

from service.core.model import AccountRole
from service.web.admin.issues import actions, pages
from service.web.admin.sections import AdminRoute, Section

EDITOR = AccountRole.EDITOR

ISSUES = Section(
    "Issues",
    "/issues",
    (
        AdminRoute("/issues", pages.show_list),
        AdminRoute("/issues/{id}", pages.show_issue),
        AdminRoute("/issues/{id}/mail", pages.show_mail),
        AdminRoute("/issues/{id}/deliveries", pages.show_deliveries),
        AdminRoute("/issues/{id}/pause", actions.pause, "POST", EDITOR),
        AdminRoute("/issues/{id}/resume", actions.resume, "POST", EDITOR),
        AdminRoute("/issues/{id}/cancel", actions.show_cancel, role=EDITOR),
        AdminRoute("/issues/{id}/cancel", actions.cancel, "POST", EDITOR),
        AdminRoute("/issues/{id}/resend", actions.show_resend, role=EDITOR),
        AdminRoute("/issues/{id}/resend", actions.resend, "POST", EDITOR),
    ),
    {
        "paused": "The issue is paused. Mails in transfer may still arrive.",
        "resumed": "The issue is resumed; a running service sends the mails that wait.",
        "resumed_all": "The issue is resumed, and so is all sending, which was paused.",
        "cancelled": "The issue is cancelled for those who did not get it.",
        "resent": "The mails wait in the outbox; a running service sends them.",
    },
)
"""The issues, newest first, and the pages and actions of each."""
