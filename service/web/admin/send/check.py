"""The second page: how many get it, a sample, who is left out, and the confirmation."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.background_jobs import Job
from service.app.preview import personalized
from service.app.sending.addresses import read_addresses
from service.app.sending.check import SendCheck, check_send
from service.app.sending.send_test import PreparedTest, prepare_test, send_test
from service.app.sending.started_sends import send_of_key, start_send
from service.core.errors import IdempotencyKeyReused, UnknownName, UsageError
from service.core.ids import content_id
from service.core.model import Issue, Outcome, Refused, Sent, Uncertain
from service.core.progress import Progress
from service.core.send_request import SendRequest
from service.web.admin.context import AdminContext
from service.web.admin.mail_frame import framed_mail
from service.web.admin.send.form import SendForm, form_page, read_form
from service.web.server_sent_events import EventState, event_response

WAIT_SECONDS = 2.0  # for a job before its page is shown: most are done by then
MAX_UNTYPED = 100  # mails that are confirmed without typing their number
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
EXPIRED = (
    "This check is not known here: it is too old, or the service was restarted since. "
    "Open Send and check again; the list of the last sends there shows whether it was sent."
)


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """What a check is of, and by which account (id)."""

    account: str
    form: SendForm


async def start(context: AdminContext) -> Response:
    """Start the check of what was typed, and show its page; with a problem, show the form again."""
    form = read_form(context)
    request, problems = _request_of(context, form)
    if problems:
        return await form_page(context, replace(form, problems=problems), status=422)
    app, values = context.app, (form.newsletter, form.way, form.addresses, form.test_address, form.edition_of)
    check_id = f"{form.key}.{content_id('check', *values, str(form.repeat))[:12]}"

    async def work(progress: Progress) -> SendCheck | PreparedTest:
        if request is not None:
            return await check_send(app, request, progress=progress)
        newsletter = app.roster.newsletter(form.newsletter)
        if newsletter is None:
            raise UnknownName("newsletter", form.newsletter, [one.id for one in app.roster.newsletters])
        return await prepare_test(app, newsletter, form.test_address, edition_of=form.edition_of or None)

    key = _check_key(context, check_id)
    app.jobs.forget(key)
    job = app.jobs.start(key, app, work, about=StartedCheck(context.account.id, form))
    await job.wait(WAIT_SECONDS)
    return context.redirect(f"/send/check/{check_id}")


async def show(context: AdminContext) -> Response:
    """Show the check, or its progress; its problem beside the form that it is of."""
    job = _job_of(context)
    form = cast("StartedCheck", job.about).form
    if job.problem:
        place = "test_address" if form.way == "test" else "newsletter"
        return await form_page(context, replace(form, problems={place: job.problem}), status=422)
    return _page(context, job)


async def events(context: AdminContext) -> Response:
    """Stream the progress of the check."""
    job = _job_of(context)

    async def read() -> EventState:
        return EventState({"step": job.step, "done": job.done, "total": job.total}, not job.is_running)

    return event_response(context.request, context.account.id, read)


async def sample(context: AdminContext) -> Response:
    """Show a sample of the mail, for a frame."""
    job, number = _job_of(context), context.path("number")
    issues = _samples(job)
    if not number.isdecimal() or not int(number) < len(issues):
        raise HTTPException(404)
    mail = await personalized(context.app, issues[int(number)], None)
    return framed_mail(mail.html)


async def confirm(context: AdminContext) -> Response:
    """Send what was checked, once, and show the page of the send."""
    check_id = context.path("check")
    if context.app.jobs.find(_check_key(context, check_id)) is None and (
        earlier := await send_of_key(context.app, check_id.rpartition(".")[0])
    ):
        return context.redirect(f"/send/{earlier.id}", done="earlier")  # the service was restarted since
    job = _job_of(context)
    if isinstance(job.result, PreparedTest):
        return await _send_test(context, job, job.result)
    if not isinstance(job.result, SendCheck):
        return _page(context, job, status=422)
    check, form = job.result, cast("StartedCheck", job.about).form
    if problem := _confirmation_problem(check, context.value("number")):
        return _page(context, job, status=422, problem=problem)
    request = replace(check.request, key=form.key)
    try:
        started = await start_send(context.app, request, counted=check.mails + check.nothing_new)
    except IdempotencyKeyReused:
        problem = "This form was used for another send already. Open Send for a new one."
        return _page(context, job, status=409, problem=problem)
    if started.is_new:
        await context.record(
            "send_started",
            started.send_id,
            newsletter=request.newsletter,
            recipients="all" if request.addresses is None else f"{len(request.addresses)} addresses",
            mails=check.mails,
            repeat=request.repeat,
        )
    planning = context.app.jobs.find(f"send {started.send_id}")
    if planning is not None:
        await planning.wait(WAIT_SECONDS)
    return context.redirect(f"/send/{started.send_id}", done="started" if started.is_new else "earlier")


async def _send_test(context: AdminContext, job: Job, test: PreparedTest) -> Response:
    """Send the test, once for its form, and show the server's reply."""
    form = cast("StartedCheck", job.about).form

    async def work(_progress: Progress) -> Outcome:
        return await send_test(context.app, test)

    key = f"test {context.account.id} {form.key}"
    earlier = context.app.jobs.find(key)
    sending = context.app.jobs.start(key, context.app, work)
    if sending is not earlier:
        await context.record("test_sent", form.newsletter, newsletter=form.newsletter, to=test.address)
    await sending.wait(WAIT_SECONDS)
    return context.redirect(f"/send/check/{context.path('check')}")


def _page(context: AdminContext, job: Job, *, status: int = 200, problem: str = "") -> Response:
    form = cast("StartedCheck", job.about).form
    sending = context.app.jobs.find(f"test {context.account.id} {form.key}") if form.way == "test" else None
    result = job.result
    return context.page(
        "send/check.html",
        status=status,
        job=job,
        form=form,
        newsletter=context.app.roster.newsletter(form.newsletter),
        check=result if isinstance(result, SendCheck) else None,
        test=result if isinstance(result, PreparedTest) else None,
        sending=sending,
        outcome=_outcome_word(sending.result) if sending and sending.result else "",
        address=f"/send/check/{context.path('check')}",
        number_needed=isinstance(result, SendCheck) and result.mails > MAX_UNTYPED,
        problem=problem,
    )


def _outcome_word(outcome: Outcome) -> str:
    words = {Sent: "sent", Refused: "refused", Uncertain: "uncertain"}
    return words.get(type(outcome), "deferred")


def _samples(job: Job) -> list[Issue]:
    if isinstance(job.result, PreparedTest):
        return [job.result.issue]
    if isinstance(job.result, SendCheck):
        return [one.issue for one in job.result.samples]
    return []


def _job_of(context: AdminContext) -> Job:
    """Return the check of the path. Raises HTTPException 404 for another account's and one that is gone."""
    job = context.app.jobs.find(_check_key(context, context.path("check")))
    if job is None:
        raise HTTPException(404, EXPIRED)
    return job


def _check_key(context: AdminContext, check_id: str) -> str:
    return f"check {context.account.id} {check_id}"


def _request_of(context: AdminContext, form: SendForm) -> tuple[SendRequest | None, dict[str, str]]:
    """Return the request of the form, None for a test, and the problems by field."""
    problems = {}
    if context.app.roster.newsletter(form.newsletter) is None:
        problems["newsletter"] = "Choose a newsletter."
    if not _KEY.fullmatch(form.key):
        problems["newsletter"] = "The form is damaged. Open Send again."
    if form.way == "test":
        if not form.test_address:
            problems["test_address"] = "Type the address that gets the test."
        return None, problems
    if form.way == "all":
        return SendRequest(form.newsletter, None, form.repeat), problems
    try:
        addresses, invalid = read_addresses(form.addresses)
    except UsageError as error:
        return None, {**problems, "addresses": error.sentence + "."}
    if invalid:
        named = "; ".join(f"{text} {reason}" for text, reason in invalid[:5])
        problems["addresses"] = f"{named}{'; and more' if len(invalid) > 5 else ''}. Correct or remove it."
    elif not addresses:
        problems["addresses"] = "Type or paste the addresses of subscribers."
    return SendRequest(form.newsletter, addresses, form.repeat), problems


def _confirmation_problem(check: SendCheck, typed: str) -> str:
    """Return why the check cannot be confirmed with this number, "" if it can."""
    if not check.mails:
        return "There is nobody to send it to."
    if check.mails <= MAX_UNTYPED:
        return ""
    digits = re.sub(r"[\s.,'’]", "", typed)
    if not digits.isdecimal() or int(digits) != check.mails:
        return f"Type the number of mails, {check.mails:,}, to confirm."
    return ""
