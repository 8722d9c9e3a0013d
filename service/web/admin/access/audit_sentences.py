"""Sentences of the audit log: what each action means, with the name of what was changed."""

from __future__ import annotations

from service.core.model import AuditEntry

SENTENCES = {
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
    "issue_paused": "paused the issue {headline} of {newsletter}",
    "issue_resumed": "resumed the issue {headline} of {newsletter}",
    "issue_cancelled": "cancelled the issue {headline} of {newsletter} for {cancelled} subscribers",
    "issue_resent": "sent the issue {headline} of {newsletter} again to {deliveries} subscribers",
    "logged_in": "logged in by {way} from {client}",
    "logged_out": "logged out",
    "login_failed": "typed a wrong name or password at {client}",
    "login_code_failed": "typed a wrong one-time code for {name} at {client}",
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
    "login_limited": "made too many login attempts at {client}, and was refused",
}
"""What a person did, behind their name, by action; fields are details of the entry."""

MAX_VALUE_CHARACTERS = 200  # of a detail as it is shown


def sentence_of(entry: AuditEntry) -> str:
    """Return what the person did. An action without a sentence is shown by its key: `issue_cancelled`."""
    values = {name: shown(value) for name, value in entry.details.items()}
    try:
        return SENTENCES[entry.action].format_map(values)
    except KeyError:
        return entry.action.replace("_", " ")


def details_of(entry: AuditEntry) -> str:
    """Return the subject and the details that the sentence does not say: `morning; count: 3`."""
    said = SENTENCES.get(entry.action, "")
    facts = [
        f"{name.replace('_', ' ')}: {shown(value)}"
        for name, value in entry.details.items()
        if f"{{{name}}}" not in said and value not in (None, "", [], {}, entry.name)
    ]
    is_about_account = entry.action in SENTENCES
    return "; ".join([*([entry.subject] if entry.subject and not is_about_account else []), *facts])


def shown(value: object) -> str:
    """Return a detail as text."""
    if isinstance(value, list | tuple):
        text = ", ".join(map(str, value))
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {one}" for key, one in value.items())
    else:
        text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"
