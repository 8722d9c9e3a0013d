"""Subscribers: search, one person with preferences and history, add, import and export."""

from service.app.people.imports import MAX_UPLOAD_BYTES
from service.core.model import AccountRole
from service.web.admin.sections import AdminRoute, Handler, Section
from service.web.admin.subscribers.add import act_add, show_add
from service.web.admin.subscribers.export import export
from service.web.admin.subscribers.import_pages import (
    act_check,
    act_import,
    events,
    refused_rows,
    show_import,
    show_upload,
)
from service.web.admin.subscribers.invitation_pages import act_invite, act_revoke, show_invitations
from service.web.admin.subscribers.list_page import show_list
from service.web.admin.subscribers.person_page import (
    act_person,
    act_preferences,
    show_person,
)
from service.web.admin.subscribers.reason_pages import show_explain, show_issue_stories
from service.web.admin.subscribers.status_actions import (
    act_erase,
    act_status,
    act_suppress,
    act_unsuppress,
    show_erase,
)

FORM_BYTES = 64 * 1024  # around the file of an upload


def _post(path: str, handler: Handler) -> AdminRoute:
    return AdminRoute(path, handler, "POST", AccountRole.EDITOR)


def _import(path: str, handler: Handler) -> AdminRoute:
    return AdminRoute(path, handler, role=AccountRole.EDITOR)


SUBSCRIBERS = Section(
    "Subscribers",
    "/subscribers",
    (
        AdminRoute("/subscribers", show_list),
        AdminRoute("/subscribers/add", show_add, role=AccountRole.EDITOR),
        _post("/subscribers/add", act_add),
        _import("/subscribers/import", show_import),
        AdminRoute(
            "/subscribers/import", act_check, "POST", AccountRole.EDITOR, MAX_UPLOAD_BYTES + FORM_BYTES
        ),
        _import("/subscribers/import/{key}", show_upload),
        _post("/subscribers/import/{key}", act_import),
        _import("/subscribers/import/{key}/refused.csv", refused_rows),
        _import("/subscribers/import/{key}/events", events),
        AdminRoute("/subscribers/export", export, role=AccountRole.ADMIN),
        AdminRoute("/subscribers/invitations", show_invitations, role=AccountRole.EDITOR),
        _post("/subscribers/invitations", act_invite),
        _post("/subscribers/invitations/{invitation}/revoke", act_revoke),
        AdminRoute("/subscribers/{person}", show_person),
        AdminRoute("/subscribers/{person}/explain", show_explain),
        AdminRoute("/subscribers/{person}/issues/{issue}", show_issue_stories),
        _post("/subscribers/{person}", act_person),
        _post("/subscribers/{person}/preferences", act_preferences),
        _post("/subscribers/{person}/status", act_status),
        _post("/subscribers/{person}/suppress", act_suppress),
        _post("/subscribers/{person}/unsuppress", act_unsuppress),
        AdminRoute("/subscribers/{person}/erase", show_erase, role=AccountRole.EDITOR),
        _post("/subscribers/{person}/erase", act_erase),
    ),
    {
        "added": "The person is subscribed.",
        "saved": "Saved. It counts from the next issue on.",
        "unchanged": "Nothing had to be changed.",
        "paused": "Paused.",
        "resumed": "Resumed.",
        "unsubscribed": "Unsubscribed. No file and no import undoes it.",
        "suppressed": "The address is suppressed: nothing is sent to it.",
        "unsuppressed": "The suppression is ended. Newsletters that they left stay unsubscribed.",
        "invitation_closed": "The invitation is closed: its link does not work any more.",
        "erased": "The person is erased.",
    },
)
"""Who gets the newsletters."""
