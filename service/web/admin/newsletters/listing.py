"""The list of newsletters: when each is sent, to how many, and whether its saved form is in force."""

from __future__ import annotations

from starlette.responses import Response

from service.app.config.saved import saved_config
from service.app.newsletters.overview import newsletters_overview
from service.core.model import AccountRole
from service.core.schedules.words import schedule_words
from service.web.admin.context import AdminContext

MAX_GROUPS = 20  # of a newsletter, shown in its list; the others are counted


async def show_list(context: AdminContext) -> Response:
    """Show all newsletters, those in force first, then those that were saved a moment ago."""
    saved = await saved_config(context.app)
    in_force = await newsletters_overview(context.app)
    known = {one.newsletter.id for one in in_force}
    coming = [one for one in saved.newsletters.values() if one.id not in known]
    return context.page(
        "newsletters/list.html",
        newsletters=in_force,
        coming=[(one, schedule_words(one.schedule)) for one in coming],
        saved=saved,
        held=await context.app.subscribers.roster_state.held(),
        max_groups=MAX_GROUPS,
        may_edit=context.account.role.includes(AccountRole.EDITOR),
    )
