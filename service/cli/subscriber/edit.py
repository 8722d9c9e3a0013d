"""`caveat subscriber edit`: changes a person where they are kept: in subscribers.yaml or in the database."""

from __future__ import annotations

from collections.abc import Mapping

from service.app.accounts.audit import record_command
from service.app.factories import config_folder
from service.app.factories.application import Application
from service.app.people.person import change_person, change_preferences, person_of
from service.app.people.typed_preferences import read_typed, typed
from service.cli.subscriber.memberships import memberships_of
from service.cli.ui import context
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_message
from service.core.errors import UsageError
from service.core.ids import subscriber_id
from service.core.model import PREFERENCE_FIELDS

DEFAULT = "default"
"""The word by which a preference follows the newsletter again."""

MAIL = "mail"


def edit(
    address: str, person: Mapping[str, str | None], texts: Mapping[str, str], newsletter: str | None
) -> None:
    """Change a person's `name`, `timezone` and `channel`, and the preferences that are given as texts."""
    given = {key: value for key, value in person.items() if value is not None}
    if not given and not texts:
        options = ", ".join(f"--{name}" for name in dict.fromkeys((*person, *PREFERENCE_FIELDS)))
        raise UsageError(f"name the change: {options}")
    _, problems = read_typed({name: text for name, text in texts.items() if text != DEFAULT})
    for name, sentence in problems.items():
        raise UsageError(f"--{name}: {sentence}")
    roster = context.load_config(tolerant=True).roster
    if roster.subscriber(subscriber_id(address)):
        _edit_file(address, given, texts, newsletter)
    else:
        _edit_database(address, given, texts, newsletter)


def _edit_file(
    address: str, given: Mapping[str, str], texts: Mapping[str, str], newsletter: str | None
) -> None:
    changes: dict[str, object] = dict(given)
    if "channel" in given:
        changes["channel"] = None if given["channel"] == MAIL else {"apprise": given["channel"]}
    preferences, _ = read_typed({name: text for name, text in texts.items() if text != DEFAULT})
    values = {name: getattr(preferences, name) for name in texts}
    wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    config_folder.edit_subscriber(context.options().config, address, changes, wanted, newsletter)
    print_message(f"Changed {address} in subscribers.yaml.")


def _edit_database(
    address: str, given: Mapping[str, str], texts: Mapping[str, str], newsletter: str | None
) -> None:
    if "channel" in given:
        raise UsageError(
            f"{address} is in the database, where digests go by mail; add the person to subscribers.yaml "
            "for another channel"
        )

    async def work(app: Application) -> bool:
        found = await memberships_of(app, address, newsletter)
        person = await person_of(app, found[0].subscriber.id)
        if person is None:
            raise UsageError(f"there is no subscriber {address!r}")
        wanted = {m.subscription.newsletter: typed(m.subscription.preferences) | _plain(texts) for m in found}
        for dry_run in (True, False) if texts else ():  # nothing is stored if one newsletter refuses a value
            for name, values in wanted.items():
                problems = await change_preferences(app, person, name, values, dry_run=dry_run)
                for field, sentence in problems.items():
                    raise UsageError(f"--{field}: {sentence}")
        if given:
            person = await person_of(app, person.subscriber.id) or person
            subscriber = person.subscriber
            zone = given.get("timezone", subscriber.timezone or "")
            await change_person(app, person, given.get("name", subscriber.name), zone)
        fields = ", ".join((*given, *texts))
        await record_command(app, "subscriber_changed", person.subscriber.id, fields=fields)
        print_message(f"Changed {address} in the database.")
        return True

    run_in_app(work)


def _plain(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: "" if text == DEFAULT else text for name, text in texts.items()}
