"""Today: what goes out when and to how many, and what needs attention."""

from service.web.admin.sections import AdminRoute, Section
from service.web.admin.today.pages import show

TODAY = Section("Today", "/", (AdminRoute("/", show),))
