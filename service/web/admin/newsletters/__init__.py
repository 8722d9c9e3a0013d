"""Newsletters: their schedules and readers, every key of newsletters.yaml, and previews."""

from service.core.model import AccountRole
from service.web.admin.newsletters.add import add, show_new
from service.web.admin.newsletters.edit import save, show_newsletter
from service.web.admin.newsletters.listing import show_list
from service.web.admin.newsletters.preview import show_mail, show_preview
from service.web.admin.newsletters.remove import remove, show_removal
from service.web.admin.sections import AdminRoute, Section

EDITOR = AccountRole.EDITOR

NEWSLETTERS = Section(
    "Newsletters",
    "/newsletters",
    (
        AdminRoute("/newsletters", show_list),
        AdminRoute("/add-newsletter", show_new, role=EDITOR),
        AdminRoute("/add-newsletter", add, "POST", EDITOR),
        AdminRoute("/newsletters/{newsletter}", show_newsletter),
        AdminRoute("/newsletters/{newsletter}", save, "POST", EDITOR),
        AdminRoute("/newsletters/{newsletter}/remove", show_removal, role=EDITOR),
        AdminRoute("/newsletters/{newsletter}/remove", remove, "POST", EDITOR),
        AdminRoute("/newsletters/{newsletter}/preview", show_preview),
        AdminRoute("/newsletters/{newsletter}/preview/mail", show_mail),
    ),
    messages={
        "saved": "Saved in newsletters.yaml.",
        "unchanged": "Nothing was different, so nothing was saved.",
        "added": "The newsletter was added to newsletters.yaml.",
        "removed": "The newsletter was removed from newsletters.yaml.",
    },
)
