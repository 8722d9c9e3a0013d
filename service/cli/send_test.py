"""`caveat send --test`: an issue to any address, marked as a test."""

from __future__ import annotations

from service.app import preview as previews
from service.app.factories import application
from service.app.sending import send_test as app_tests
from service.cli.preview import parse_time
from service.cli.ui import lookup, open_app
from service.cli.ui.output import print_message, print_records
from service.core.model import Refused, Sent, Uncertain


def run_test(
    newsletter: str, address: str, edition_of: str | None, at: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Send the test and print its outcome; exit with 1 if the server did not accept it."""
    time = parse_time(at) if at else None

    async def work(app: application.Application) -> bool:
        found = lookup.newsletter_named(app.roster, newsletter)
        test = await app_tests.prepare_test(app, found, address, edition_of=edition_of, at=time)
        record: dict[str, object] = {
            "address": test.address,
            "stories": test.stories,
            "subject": test.issue.rendered.subject,
        }
        if dry_run:
            print_records([record], as_json=as_json)
            print_message("This is what would be sent; nothing was sent or recorded.")
            return True
        outcome = await app_tests.send_test(app, test)
        words = {Sent: "sent", Refused: "refused", Uncertain: "uncertain"}
        state = words.get(type(outcome), "deferred")
        print_records([record | {"state": state, "reply": outcome.reply}], as_json=as_json)
        if state != "sent":
            print_message("The test was not sent, and it is not tried again.")
        elif note := previews.page_note(found):
            print_message(note)
        return state == "sent"

    open_app.run_in_app(work, needs_files=True)
