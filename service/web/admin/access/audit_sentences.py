"""Sentences of the audit log: what each action means, with the name of what was changed."""

from __future__ import annotations

import re

from service.core.model import AuditEntry

ACCOUNT_SENTENCES = {
    "account_created": "created the account {name} as {role}",
    "account_link_made": "made a one-time link for {name}",
    "account_role_changed": "made {name} {role}",
    "account_disabled": "disabled the account {name}",
    "account_enabled": "enabled the account {name}",
    "account_deleted": "deleted the account {name}",
    "account_email_changed": "changed their address for test mails",
    "password_chosen": "chose a password by a one-time link",
    "password_changed": "changed their password",
    "two_factor_on": "set up an authenticator app",
    "two_factor_off": "turned their second factor off",
    "session_ended": "ended one of their sessions",
    "other_sessions_ended": "ended their other sessions ({count})",
    "logged_in": "logged in by {way} from {client}",
    "logged_out": "logged out",
    "login_failed": "typed a wrong name or password at {client}",
    "login_code_failed": "typed a wrong one-time code for {name} at {client}",
    "login_limited": "made too many login attempts at {client}, and was refused",
}

SENTENCES = {
    **ACCOUNT_SENTENCES,
    "send_started": "sent {newsletter} to {recipients} ({mails} mails)",
    "send_paused": "paused a send of {newsletter}",
    "send_resumed": "resumed a send of {newsletter}",
    "send_cancelled": "cancelled a send of {newsletter}",
    "test_sent": "sent a test of {newsletter} to {to}",
    "draft_edited": "changed a draft of {newsletter}: {change}",
    "draft_undone": "undid in a draft of {newsletter}: {change}",
    "draft_decided": "decided about a draft of {newsletter} for {readers}: {state}",
    "invitation_created": "made an invitation to {newsletters} for {uses} people",
    "invitation_revoked": "closed an invitation",
    "send_planned": "started to send {newsletter}: {deliveries} mails",
    "token_created": "created the API token {name} for {scopes}",
    "token_revoked": "revoked the API token {name}",
    "feed_added": "added the feed {url}",
    "feed_changed": "changed the feed {name}: {keys}",
    "feed_muted": "muted the feed {name}",
    "feed_unmuted": "unmuted the feed {name}",
    "feed_polled": "polled the feed {name}",
    "feed_removed": "removed the feed {name}",
    "label_given": "labelled a sentence of {title}: {label}",
    "label_undone": "undid a label of a sentence of {title}: {label}",
    "labels_exported": "downloaded the labels",
    "report_settled": "settled a reader's report about {title}: {decision}",
    "story_split": "gave the article {title} a story of its own",
    "feeds_imported": "imported {count} feeds from an OPML list",
    "issue_paused": "paused the issue {headline} of {newsletter}",
    "issue_resumed": "resumed the issue {headline} of {newsletter}",
    "issue_cancelled": "cancelled the issue {headline} of {newsletter} for {cancelled} subscribers",
    "issue_resent": "sent the issue {headline} of {newsletter} again to {deliveries} subscribers",
    "subscriber_added": "added a subscriber to {newsletters}; consent: {consent}",
    "subscriber_changed": "changed {fields} of a subscriber",
    "subscriber_preferences": "changed a subscriber's preferences for {newsletter}",
    "subscriber_paused": "paused {newsletter} for a subscriber",
    "subscriber_resumed": "resumed {newsletter} for a subscriber",
    "subscriber_unsubscribed": "unsubscribed a subscriber from {newsletter}",
    "subscriber_suppressed": "suppressed a subscriber's address: {reason}",
    "subscriber_unsuppressed": "ended the suppression of a subscriber's address",
    "subscriber_erased": "erased a subscriber",
    "subscribers_exported": "downloaded the subscribers of {newsletter} as {form}",
    "subscribers_imported": "imported subscribers from {file}",
    "newsletter_changed": "changed the newsletter {title}: {keys}",
    "newsletter_added": "added the newsletter {title}",
    "newsletter_removed": "removed the newsletter {title}",
    "config_applied": "applied {files}; {ended} subscriptions ended",
    "doctor_run": "ran the checks of the installation",
}
"""What a person did, behind their name, by action; a field is `subject` or a detail of the entry."""

MAX_VALUE_CHARACTERS = 200  # of a detail as it is shown
_FIELD = re.compile(r"\{(\w+)\}")
_COUNTED = re.compile(r"\{(\w+)\} (mail|subscriber|subscription|feed)s\b")


def sentence_of(entry: AuditEntry) -> str:
    """Return what the person did. An action without a sentence is shown by its key: `thing done`."""
    values = {name: shown(value) for name, value in _values(entry).items()}
    template = _COUNTED.sub(
        lambda found: f"{{{found[1]}}} {found[2]}" if values[found[1]] == "1" else found[0], _template(entry)
    )
    return template.format_map(values) or entry.action.replace("_", " ")


def details_of(entry: AuditEntry) -> str:
    """Return the subject and the details that the sentence does not say: `morning; count: 3`."""
    said = _template(entry)
    facts = [
        f"{name.replace('_', ' ')}: {shown(value)}"
        for name, value in entry.details.items()
        if f"{{{name}}}" not in said and value is not False and value not in (None, "", [], {}, entry.name)
    ]
    # An account is named by its name, which the sentence says.
    is_said = (
        entry.action in ACCOUNT_SENTENCES or "{subject}" in said or entry.subject in entry.details.values()
    )
    return "; ".join(facts if is_said or not entry.subject else [entry.subject, *facts])


def _template(entry: AuditEntry) -> str:
    """Return the sentence of the action; "" if the entry has not all of its fields."""
    template = SENTENCES.get(entry.action, "")
    return template if set(_FIELD.findall(template)) <= _values(entry).keys() else ""


def _values(entry: AuditEntry) -> dict[str, object]:
    return {"subject": entry.subject, **entry.details}


def shown(value: object) -> str:
    """Return a detail as text."""
    if isinstance(value, list | tuple):
        text = ", ".join(map(str, value))
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {one}" for key, one in value.items())
    else:
        text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"
