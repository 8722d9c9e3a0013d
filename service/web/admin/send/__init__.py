"""Send: a newsletter now, as a test, to some or to all; checked first, followed while it is sent."""

from service.core.model import AccountRole
from service.web.admin.sections import AdminRoute, Section
from service.web.admin.send import check, form, progress

MAX_ADDRESS_BYTES = 512 * 1024  # of a form with 5,000 addresses

EDITOR = AccountRole.EDITOR

SEND = Section(
    "Send",
    "/send",
    (
        AdminRoute("/send", form.show),
        AdminRoute("/send/search", form.search, "POST", EDITOR, MAX_ADDRESS_BYTES),
        AdminRoute("/send/check", check.start, "POST", EDITOR, MAX_ADDRESS_BYTES),
        AdminRoute("/send/check/{check}", check.show, role=EDITOR),
        AdminRoute("/send/check/{check}", check.confirm, "POST", EDITOR),
        AdminRoute("/send/check/{check}/events", check.events, role=EDITOR),
        AdminRoute("/send/check/{check}/sample/{number}", check.sample, role=EDITOR),
        AdminRoute("/send/{send}", progress.show),
        AdminRoute("/send/{send}/events", progress.events),
        AdminRoute("/send/{send}/pause", progress.pause, "POST", EDITOR),
        AdminRoute("/send/{send}/resume", progress.resume, "POST", EDITOR),
        AdminRoute("/send/{send}/cancel", progress.ask_cancel, role=EDITOR),
        AdminRoute("/send/{send}/cancel", progress.cancel, "POST", EDITOR),
    ),
    {
        "started": "The send was started.",
        "earlier": "This was sent already. Nothing is sent twice.",
        "paused": "The send is paused. Mails that were in transfer may still arrive.",
        "resumed": "The send goes on.",
        "cancelled": "The send is being cancelled.",
    },
)
"""The section."""
