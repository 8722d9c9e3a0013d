"""Feeds: their health, new ones by address or OPML list, every key of feeds.yaml, and polls on request."""

from service.app.feed_editor.opml import MAX_OPML_UPLOAD_BYTES
from service.core.model import AccountRole
from service.web.admin.feeds.add import act_add, act_find, show_add
from service.web.admin.feeds.edit import act_mute, act_remove, act_save, show_edit, show_removal
from service.web.admin.feeds.opml import act_check, act_import, export, show_import, show_plan
from service.web.admin.feeds.pages import act_inspect, act_poll, show_feed, show_list
from service.web.admin.sections import AdminRoute, Section

EDITOR = AccountRole.EDITOR

FEEDS = Section(
    "Feeds",
    "/feeds",
    (
        AdminRoute("/feeds", show_list),
        AdminRoute("/feeds/add", show_add, role=EDITOR),
        AdminRoute("/feeds/find", act_find, "POST", EDITOR),
        AdminRoute("/feeds/add", act_add, "POST", EDITOR),
        AdminRoute("/feeds/import", show_import, role=EDITOR),
        AdminRoute("/feeds/import", act_check, "POST", EDITOR, MAX_OPML_UPLOAD_BYTES),
        AdminRoute("/feeds/import/{key}", show_plan, role=EDITOR),
        AdminRoute("/feeds/import/{key}", act_import, "POST", EDITOR),
        AdminRoute("/feeds/export", export),
        AdminRoute("/feeds/{feed}", show_feed),
        AdminRoute("/feeds/{feed}/edit", show_edit),
        AdminRoute("/feeds/{feed}/edit", act_save, "POST", EDITOR),
        AdminRoute("/feeds/{feed}/mute", act_mute, "POST", EDITOR),
        AdminRoute("/feeds/{feed}/poll", act_poll, "POST", EDITOR),
        AdminRoute("/feeds/{feed}/inspect", act_inspect, "POST", EDITOR),
        AdminRoute("/feeds/{feed}/remove", show_removal, role=EDITOR),
        AdminRoute("/feeds/{feed}/remove", act_remove, "POST", EDITOR),
    ),
    messages={
        "added": "The feed was added to feeds.yaml. The service polls it within a minute or so.",
        "saved": "Saved in feeds.yaml.",
        "unchanged": "Nothing was different, so nothing was saved.",
        "muted": "The feed is muted: it is not polled until you unmute it.",
        "unmuted": "The feed is polled again.",
        "removed": "The feed was removed from feeds.yaml. Its articles stay in the database.",
        "polled": "The feed was polled.",
        "polling": "The poll is running. Reload this page to see its result.",
        "imported": "The feeds were added to feeds.yaml.",
    },
)
