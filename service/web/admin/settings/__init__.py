"""Settings: what is in force and from where, faults with their place, the files, versions and checks."""

from service.core.model import AccountRole
from service.web.admin.sections import AdminRoute, Section
from service.web.admin.settings.files import show_file
from service.web.admin.settings.overview import run_doctor, show_settings

SETTINGS = Section(
    "Settings",
    "/settings",
    (
        AdminRoute("/settings", show_settings),
        AdminRoute("/settings/doctor", run_doctor, "POST", AccountRole.EDITOR),
        AdminRoute("/settings/files/{file}", show_file),
    ),
)
