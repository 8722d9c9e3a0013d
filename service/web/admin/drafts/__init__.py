"""Drafts: issues that wait for an editor, shown, changed, approved, held and stopped."""

from service.core.model import AccountRole
from service.web.admin.drafts import pages, sentences
from service.web.admin.sections import AdminRoute, Handler, Section


def _post(path: str, handler: Handler) -> AdminRoute:
    return AdminRoute(path, handler, "POST", AccountRole.EDITOR)


DRAFTS = Section(
    "Drafts",
    "/drafts",
    (
        AdminRoute("/drafts", pages.show_list),
        AdminRoute("/drafts/{draft}", pages.show),
        AdminRoute("/drafts/{draft}/preview", pages.preview),
        AdminRoute("/drafts/{draft}/mail", pages.mail),
        _post("/drafts/{draft}/undo", pages.undo),
        _post("/drafts/{draft}/decide", pages.decide),
        _post("/drafts/{draft}/stories/{story}", pages.edit),
        AdminRoute("/drafts/{draft}/stories/{story}/sentences", sentences.show),
        _post("/drafts/{draft}/stories/{story}/sentences", sentences.choose),
    ),
    {
        "edited": "The draft was changed.",
        "undone": "The change was undone.",
        "approved": "The draft is approved.",
        "held": "The draft is held: nothing is sent until somebody approves or stops it.",
        "stopped": "The draft is stopped: no issue is made this time, and its stories wait for the next.",
    },
)
"""The section."""
