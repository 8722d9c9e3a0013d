"""Webhooks in caveat.yaml: a wrong address, event or secret is named with its place."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from tests.settings.config_folders import SITE, a_config_folder, loaded, said

SECRET = "whsec_" + b64encode(bytes(32)).decode()


def a_folder(folder: Path, entry: str, secret: str | None = SECRET) -> Path:
    found = a_config_folder(folder, {"caveat.yaml": f"{SITE}webhooks:\n  - {entry}\n"})
    if secret is not None:
        (found / "webhook.secret").write_text(secret)
        (found / "webhook.secret").chmod(0o600)
    return found


def test_a_webhook_is_loaded_with_its_secret_which_no_output_shows(tmp_path: Path):
    entry = '{url: "https://crm.example.org/hook?a=1", events: [issue.sent], secret_file: webhook.secret}'
    settings = loaded(a_folder(tmp_path, entry)).settings
    [webhook] = settings.webhooks
    assert (webhook.url, webhook.events) == ("https://crm.example.org/hook?a=1", ("issue.sent",))
    assert webhook.secret.reveal() == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("url", "events", "secret", "sentence"),
    [
        ("crm.example.org", "issue.sent", SECRET, "is not a web address"),
        ("ftp://crm.example.org", "issue.sent", SECRET, "is not a web address"),
        ("https://a:b@crm.example.org", "issue.sent", SECRET, "contains a login"),
        ("https://crm.example.org", "issue.send", SECRET, "issue.sent"),
        ("https://crm.example.org", "", SECRET, "events"),
        ("https://crm.example.org", "issue.sent", "secret", "does not hold the secret of a webhook"),
        ("https://crm.example.org", "issue.sent", "whsec_AAAA", "does not hold the secret of a webhook"),
        ("https://crm.example.org", "issue.sent", None, "cannot be read"),
    ],
)
def test_a_fault_has_its_place_and_says_what_is_expected(
    tmp_path: Path, url: str, events: str, secret: str | None, sentence: str
):
    entry = f'{{url: "{url}", events: [{events}], secret_file: webhook.secret}}'
    found = said(a_folder(tmp_path, entry, secret))
    assert len(found) == 1
    assert found[0].startswith("caveat.yaml:7:")
    assert sentence in found[0]
