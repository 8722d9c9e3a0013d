"""`caveat config plan` and `caveat config apply`: what files would change, and applying it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from service.app.accounts.audit import record_command
from service.app.config.apply import apply_files
from service.app.config.plan import ConfigPlan, config_plan
from service.app.factories import config_folder
from service.app.factories.application import Application
from service.cli.ui.input import require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_data, print_json, print_message, printable


def show_plan(draft: Path | None, *, as_json: bool) -> None:
    """Print the plan of a draft folder; of the saved files with None."""
    files = config_folder.draft_files(draft) if draft else {}

    async def work(app: Application) -> bool:
        _print_plan(await config_plan(app, files), as_json=as_json)
        return True

    run_in_app(work)


def apply_plan(draft: Path | None, *, yes: bool) -> None:
    """Print the plan, and apply it. A draft or a held change is applied only after a confirmation."""
    files = config_folder.draft_files(draft) if draft else {}

    async def work(app: Application) -> bool:
        saved = config_folder.read_files(app.settings.folder)
        plan = await config_plan(app, files)
        _print_plan(plan, as_json=False)
        if plan.held:
            question = f"End {plan.held.ended} of {plan.held.running} subscriptions?"
            require_confirmation(question, confirmed=yes)
        elif draft:
            require_confirmation(f"Apply {draft}?", confirmed=yes)
        done = await apply_files(app, files, confirmed=plan.held is not None, expected=saved)
        report = done.report
        if not plan.is_empty or done.backup:
            ended = report.subscriptions.ended
            names = sorted(files) or ["the files as saved"]
            await record_command(app, "config_applied", files=names, ended=ended)
        for noun, applied in (("feeds", report.feeds), ("subscriptions", report.subscriptions)):
            changes = f"{applied.added} added, {applied.changed} changed, {applied.ended} ended"
            print_message(f"{noun}: {changes}, {applied.kept} unchanged.")
        if done.backup:
            print_message(f"The files before are in {done.backup}.")
        return not report.problems

    run_in_app(work)


def _print_plan(plan: ConfigPlan, *, as_json: bool) -> None:
    if not as_json:
        for sentence in plan.sentences:
            print_data(printable(sentence))
        return
    for newsletter in plan.newsletters:
        print_json({"kind": "newsletter"} | asdict(newsletter))
    for feed in plan.feeds:
        print_json({"kind": "feed"} | asdict(feed))
    for setting in plan.settings:
        print_json({"kind": "setting"} | asdict(setting))
    for problem in plan.problems:
        print_json({"kind": "problem", "sentence": problem})
    if plan.held:
        print_json({"kind": "held", "sentence": plan.held.sentence} | asdict(plan.held))
