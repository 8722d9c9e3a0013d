"""`caveat doctor --mail`: the operator's mail, shown and sent as a test."""

from __future__ import annotations

from service.app.factories import application
from service.app.operator import trial
from service.cli.ui import open_app
from service.cli.ui.input import require_confirmation
from service.cli.ui.output import print_data, print_message
from service.core.model import Sent


def run_operator_test(*, confirmed: bool) -> None:
    """Show the mail and ask; then send it to each operator. Exit with 1 if a server did not accept it."""
    tests: list[trial.OperatorTest] = []

    async def prepare(app: application.Application) -> bool:
        tests.extend(await trial.prepare_operator_tests(app))
        return True

    async def send(app: application.Application) -> bool:
        accepted = True
        for test in tests:
            outcome = await trial.send_operator_test(app, test)
            is_sent = isinstance(outcome, Sent)
            accepted = accepted and is_sent
            state = "sent" if is_sent else "not sent, and it is not tried again"
            print_message(f"{test.address}: {state}: {outcome.reply}")
        return accepted

    open_app.run_in_app(prepare)
    print_data(f"Subject: {tests[0].issue.rendered.subject}\n\n{tests[0].issue.rendered.text}")
    named = ", ".join(test.address for test in tests)
    require_confirmation(f"Send this mail to {named}?", confirmed=confirmed)
    open_app.run_in_app(send)
