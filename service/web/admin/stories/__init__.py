"""Stories: articles with their key points and caveats in context, labels of their sentences, and splits."""

from service.core.model import AccountRole
from service.web.admin.sections import AdminRoute, Section
from service.web.admin.stories.article_page import act_label, act_split, show_article, show_split
from service.web.admin.stories.list_page import show_list
from service.web.admin.stories.reports import export_labels, show_reports

EDITOR = AccountRole.EDITOR

STORIES = Section(
    "Stories",
    "/stories",
    (
        AdminRoute("/stories", show_list),
        AdminRoute("/stories/reports", show_reports),
        AdminRoute("/stories/labels", export_labels, role=EDITOR),
        AdminRoute("/stories/{article}", show_article),
        AdminRoute("/stories/{article}/label", act_label, "POST", EDITOR),
        AdminRoute("/stories/{article}/split", show_split, role=EDITOR),
        AdminRoute("/stories/{article}/split", act_split, "POST", EDITOR),
    ),
    messages={
        "labelled": "Your label is stored. It can be undone beside its sentence.",
        "undone": "The label was removed.",
        "settled": "The report is settled.",
        "split": "The article has a story of its own now. Issues that were made before stay as they are.",
        "alone": "Nothing was changed: the article is the only one of its story.",
    },
)
