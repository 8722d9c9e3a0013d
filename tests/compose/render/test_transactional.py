"""Transactional mail: confirmation, welcome and unsubscribe mails."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.compose.render.transactional import TransactionalRenderer
from service.core.model import RenderedMail
from service.core.placeholders import MARKER, Placeholder
from service.settings.packaged_files import templates_folder
from tests.compose.digests import SITE

RENDERER = TransactionalRenderer(templates_folder(), SITE)
LABELS = tomllib.loads((templates_folder() / "mail/labels.toml").read_text(encoding="utf-8"))


def please_confirm(title="The Morning Caveat", language="en", days=3, renderer=RENDERER) -> RenderedMail:
    return renderer.confirm(title, language=language, timezone="Europe/Berlin", days=days)


def a_welcome(language="en", timezone="Europe/Berlin") -> RenderedMail:
    first = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    return RENDERER.welcome("The Morning Caveat", language=language, timezone=timezone, first_issue_at=first)


def test_a_confirmation_has_the_address_the_link_and_its_lifetime():
    mail = please_confirm()

    assert mail.subject == "Please confirm: The Morning Caveat"
    assert f'href="{Placeholder.CONFIRM_URL.marker}"' in mail.html
    assert f"\n{Placeholder.CONFIRM_URL.marker}\n" in mail.text
    for part in (mail.html, mail.text):
        assert MARKER.findall(part) == [Placeholder.ADDRESS, Placeholder.CONFIRM_URL]
        assert re.search(r"not\s+you,\s+do\s+nothing", part)
        assert "for 3 days" in " ".join(part.split())
        assert SITE.postal_address in part


def test_a_welcome_has_the_time_of_the_first_issue_and_an_unsubscribe_link():
    mail = a_welcome()

    assert mail.subject == "Welcome to The Morning Caveat"
    for part in (mail.html, mail.text):
        assert "Tuesday, 3 March 2026, 07:00" in " ".join(part.split())
        assert {Placeholder(name) for name in MARKER.findall(part)} == {
            Placeholder.ADDRESS,
            Placeholder.UNSUBSCRIBE_URL,
            Placeholder.PREFERENCES_URL,
        }


def test_a_mail_about_unsubscribing_says_that_nothing_has_changed_yet():
    mail = RENDERER.unsubscribe("The Morning Caveat", language="en", timezone="Europe/Berlin")

    assert mail.subject == "Do you want to unsubscribe from The Morning Caveat?"
    for part in (mail.html, mail.text):
        assert "nothing has changed yet" in " ".join(part.split())
        assert {Placeholder(name) for name in MARKER.findall(part)} == {
            Placeholder.ADDRESS,
            Placeholder.UNSUBSCRIBE_URL,
            Placeholder.PREFERENCES_URL,
        }


def test_the_first_issue_is_announced_in_local_time():
    assert "Tuesday, March 3, 2026, 1:00\u00a0AM" in a_welcome(timezone="America/New_York").text


@pytest.mark.parametrize("language", LABELS)
def test_every_language_has_every_mail(language: str):
    assert LABELS[language].keys() == LABELS["en"].keys()
    for days in (1, 2, 3, 11):
        assert please_confirm(language=language, days=days).html
    assert f'lang="{language}"' in a_welcome(language).html
    assert RENDERER.unsubscribe("The Morning", language=language, timezone="UTC").text


def test_a_language_without_mails_gets_english_ones():
    assert please_confirm(language="sw").subject == "Please confirm: The Morning Caveat"


def test_a_hostile_title_stays_text():
    mail = please_confirm(title=f"{{{{ 7*7 }}}}\r\nBcc: x <b> {Placeholder.UNSUBSCRIBE_URL.marker}")

    assert mail.subject == "Please confirm: {{ 7*7 }} Bcc: x <b> unsubscribe_url"
    assert "Bcc: x &lt;b&gt; unsubscribe_url" in mail.html
    assert MARKER.findall(mail.html) == [Placeholder.ADDRESS, Placeholder.CONFIRM_URL]


def test_a_mail_template_of_the_operator_overrides_ours(tmp_path: Path):
    (tmp_path / "mail/confirm").mkdir(parents=True)
    (tmp_path / "mail/confirm/subject.txt").write_text("Hello from {{ sheet.title }}", encoding="utf-8")
    mail = please_confirm(renderer=TransactionalRenderer(templates_folder(), SITE, custom=tmp_path))

    assert mail.subject == "Hello from The Morning Caveat"
    assert "One more step" in mail.html
