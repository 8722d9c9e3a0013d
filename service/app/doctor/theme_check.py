"""Theme check: themes tried with a hostile sample in every language, before subscribers get an issue."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from service.app.factories.templates import template_folders
from service.compose.render.check import sample
from service.compose.render.check.labels import label_messages
from service.compose.render.check.rules import check_mail
from service.compose.render.theme import JinjaRenderer
from service.compose.render.view import sender_line
from service.core.archive_links import NONE, PUBLIC, SIGNED
from service.core.errors import ConfigError, Fault, TemplateFailed
from service.core.languages import primary_language
from service.core.model import Newsletter, Preferences, Roster
from service.core.placeholders import Placeholder
from service.settings.values import Settings
from service.subscribers.preferences import edition_for

MAX_FAULTS = 20  # of one theme; more are rarely read
SAMPLES = ((sample.sample_digest, PUBLIC), (sample.small_digest, SIGNED), (sample.empty_digest, NONE))
SAMPLE_NEWSLETTER = Newsletter("sample", sample.SAMPLE_TITLE, "daily 07:00", "Europe/Berlin")


class ThemeChecker:
    """Checks themes of the packaged folder and of the operator's."""

    def __init__(self, settings: Settings) -> None:
        self._packaged, self._custom = template_folders(settings)
        self._site = settings.site
        self._renderer = JinjaRenderer(self._packaged, self._site, self._custom)

    def themes(self) -> tuple[str, ...]:
        """Return the names of all themes."""
        return self._renderer.themes()

    def faults(self, theme: str, languages: Collection[str] | None = None) -> list[Fault]:
        """Return what is wrong with a theme in these languages, by default all that it has labels for.

        A fault that is the same in several languages is listed once. If labels are wrong, nothing else is
        checked. Raises UnknownName.
        """
        found: dict[Fault, list[str]] = {}
        try:
            labels = self._renderer.labels(theme)
        except TemplateFailed as failed:
            return [self._fault_of(failed)]
        if wrong := list(label_messages(labels)):
            return _limited([self._fault(f"digest/{theme}/labels.toml", 0, message) for message in wrong])
        checked = [language for language in languages or labels if primary_language(language)]
        for language in checked:
            for fault in dict.fromkeys(self._faults_in(theme, language)):
                found.setdefault(fault, []).append(language)
        return _limited([_in_languages(fault, of, checked) for fault, of in found.items()])

    def _faults_in(self, theme: str, language: str) -> Iterator[Fault]:
        edition = edition_for(SAMPLE_NEWSLETTER, Preferences(language=language), None)
        for make, archive in SAMPLES:
            digest = make(edition)
            try:
                mail = self._renderer.render(
                    digest,
                    title=sample.SAMPLE_TITLE,
                    theme=theme,
                    issue_id=sample.SAMPLE_ISSUE,
                    archive=archive,
                    subscribe_url=f"{self._site.url}/subscribe/sample" if archive == PUBLIC else "",
                    picture=sample.SAMPLE_PICTURE if archive == PUBLIC else None,
                )
            except TemplateFailed as failed:
                yield self._fault_of(failed)
                continue
            unsubscribe_url, sent_by = Placeholder.UNSUBSCRIBE_URL.marker, sender_line(self._site)
            for finding in check_mail(mail, digest, unsubscribe_url=unsubscribe_url, sent_by=sent_by):
                yield self._fault(f"digest/{theme}/{finding.file}", 0, finding.message)

    def _fault_of(self, failed: TemplateFailed) -> Fault:
        return self._fault(failed.file, failed.line, failed.reason)

    def _fault(self, file: str, line: int, message: str) -> Fault:
        """Return the fault, its file named from the configuration folder if it is the operator's."""
        is_custom = self._custom is not None and (self._custom / file).is_file()
        where = Path("templates") / file if is_custom else self._packaged / file
        return Fault(where.as_posix(), line, 1 if line else 0, message)


def check_used_themes(settings: Settings, roster: Roster) -> None:
    """Check the themes of the newsletters in the languages of their editions. Raises ConfigError."""
    used: dict[str, set[str]] = {}
    themes = {newsletter.id: newsletter.theme for newsletter in roster.newsletters}
    for newsletter in roster.newsletters:
        used.setdefault(newsletter.theme, set()).add(newsletter.language)
    for entry in roster.subscribers:
        for name, preferences in entry.newsletters:
            if preferences.language and name in themes:
                used[themes[name]].add(preferences.language)
    checker = ThemeChecker(settings)
    faults = [
        fault for theme, languages in used.items() for fault in checker.faults(theme, sorted(languages))
    ]
    if faults:
        raise ConfigError(faults)


def _limited(faults: list[Fault]) -> list[Fault]:
    more = len(faults) - MAX_FAULTS
    rest = [Fault(faults[0].file, 0, 0, f"{more} more faults of this theme")] if more > 0 else []
    return faults[:MAX_FAULTS] + rest


def _in_languages(fault: Fault, languages: Sequence[str], checked: Sequence[str]) -> Fault:
    """Return the fault with the languages that have it, unless all do."""
    if len(languages) == len(checked):
        return fault
    message = f"{fault.message} (in {', '.join(languages)})"
    return Fault(fault.file, fault.line, fault.column, message)
