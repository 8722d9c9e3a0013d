"""Saving a change of newsletters.yaml: its consequences first, where people are affected, then the file."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from service.app.config.apply import apply_files
from service.app.config.plan import ConfigPlan, config_plan
from service.app.newsletters.editing import FILE, NewsletterDraft
from service.web.admin.context import AdminContext
from service.web.admin.newsletters.form import CONFIRMED

NUMBER = "number"
"""Form field for the number of subscriptions that end, typed where the guard asks for it."""

AFFECTING = ("loses", "gains", "returns", "moves", "others")


@dataclass(frozen=True, slots=True)
class Change:
    """A checked change: the action of the audit, the newsletter, the draft, and the page that follows."""

    action: str
    id: str
    title: str
    draft: NewsletterDraft
    next_page: str
    done: str = "saved"


async def save_change(context: AdminContext, change: Change) -> Response:
    """Save the change, or show first what it does to readers. Raises ConfigError with the faults."""
    plan = await config_plan(context.app, change.draft.files)
    is_confirmed = context.value(CONFIRMED) == "yes"
    if _affects_people(plan) and not is_confirmed:
        return _consequences(context, change, plan)
    if plan.held is not None and context.value(NUMBER).strip() != str(plan.held.ended):
        problem = f"Type {plan.held.ended}, the number of subscriptions that end." if is_confirmed else ""
        return _consequences(context, change, plan, problem)
    before = {FILE: change.draft.before}
    await apply_files(context.app, change.draft.files, confirmed=plan.held is not None, expected=before)
    keys = [one.key for one in change.draft.changes]
    await context.record(change.action, change.id, title=change.title, keys=keys)
    return context.redirect(change.next_page, done=change.done)


def _affects_people(plan: ConfigPlan) -> bool:
    """Return whether somebody gains or loses a newsletter, or gets it at another time."""
    return plan.held is not None or any(getattr(one, key) for one in plan.newsletters for key in AFFECTING)


def _consequences(context: AdminContext, change: Change, plan: ConfigPlan, problem: str = "") -> Response:
    own = {CONFIRMED, NUMBER}
    return context.page(
        "newsletters/consequences.html",
        status=422 if problem else 200,
        change=change,
        newsletters=plan.newsletters,
        held=plan.held,
        problems=plan.problems,
        fields=[
            (name, value) for name, values in context.fields.items() if name not in own for value in values
        ],
        target=context.request.url.path,
        back=context.pages.root + "/admin" + change.next_page,
        confirmed_field=CONFIRMED,
        number_field=NUMBER,
        problem=problem,
    )
