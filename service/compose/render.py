"""Render: a digest -> subject, HTML and text, by a theme (EDGE: jinja2, css-inline, the theme's files).

A theme is a folder of three templates and, if it speaks its own words, a labels.toml; templates run in a
sandbox, see a Page and nothing else, and fail loudly on a name that does not exist.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import Any

import css_inline
from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.compose.page import Page, make_page
from service.compose.wording import Labels, Wording, wording
from service.compose.words import shorten, wrapped
from service.core.errors import CaveatError, UnknownName
from service.core.model import Digest, Rendered, Site

DIGESTS = "digest"
WHOLE_LABELS = "daily"
LONGEST_SUBJECT = 150
KEPT = ' data-css-inline="keep"'


class JinjaRenderer:
    """Renders with the themes that lie in `templates`/digest, and before those in `own`/digest.

    `site` is who sends. Raises UnknownName for a theme that is not there, CaveatError for one that fails.
    """

    def __init__(self, templates: Path, site: Site, own: Path | None = None) -> None:
        self._folders = [folder / DIGESTS for folder in (own, templates) if folder is not None]
        self._site = site
        self._labels: dict[str, Labels] = {}

    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str) -> Rendered:
        """Return the digest rendered once for all recipients, with marks at the places of core.places.

        The HTML of an edition that wants plain text is empty.
        """
        if theme not in self.themes():
            raise UnknownName("theme", theme, self.themes())
        edition = digest.edition
        said = wording(self._labels_of(theme), edition.language, edition.timezone)
        page = make_page(digest, said, title=title, site=self._site, issue_id=issue_id)
        subject = " ".join(self._filled(theme, "subject.txt", page, said).split())
        return Rendered(
            subject=shorten(subject, LONGEST_SUBJECT),
            html="" if edition.format == "text" else self._filled(theme, "body.html", page, said),
            text=self._filled(theme, "body.txt", page, said).strip() + "\n",
        )

    def themes(self) -> tuple[str, ...]:
        """Return the names of the themes that there are."""
        found = {path.parent.name for folder in self._folders for path in folder.glob("*/body.html")}
        return tuple(sorted(found))

    def _filled(self, theme: str, name: str, page: Page, said: Wording) -> str:
        """Return the theme's template filled in; HTML with its stylesheet written into every element."""
        try:
            filled = self._environment.get_template(f"{theme}/{name}").render(page=page, say=said.say)
            return _inlined(filled) if name.endswith(".html") else filled
        except Exception as error:  # a theme is somebody's program: whatever it raises is its own fault
            where = f", line {line}" if (line := _line_of(error)) else ""
            raise CaveatError(f"the theme {theme!r} fails in {name}{where}: {error}") from error

    def _labels_of(self, theme: str) -> Labels:
        """Return the theme's labels over those of the theme that has them all, label by label."""
        if theme not in self._labels:
            merged: dict[str, dict[str, Any]] = {}
            for name in dict.fromkeys((WHOLE_LABELS, theme)):
                for folder in reversed(self._folders):
                    for language, labels in _read_labels(folder / name / "labels.toml").items():
                        merged.setdefault(language, {}).update(labels)
            self._labels[theme] = merged
        return self._labels[theme]

    @cached_property
    def _environment(self) -> ImmutableSandboxedEnvironment:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        filters: dict[str, Any] = {"wrapped": wrapped, "shorten": shorten}
        environment.filters.update(filters)
        return environment


def _read_labels(path: Path) -> Labels:
    if not path.is_file():
        return {}
    try:
        labels = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CaveatError(f"{path} is no labels file: {error}") from error
    if not all(isinstance(of_language, dict) for of_language in labels.values()):
        raise CaveatError(f"{path} is no labels file: a label stands under its language, as in [en]")
    return labels


def _inlined(html: str) -> str:
    # A stylesheet is never fetched: a theme's link to one would make every digest wait for somebody's server.
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
    # Blocks marked as KEPT stay blocks: media queries cannot be written into an element.
    return str(inliner.inline(html)).replace(KEPT, "")


def _line_of(error: Exception) -> int | None:
    """Return the line of the template that failed: the parser says it, at run time the traceback knows."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    frames = [f for f in extract_tb(error.__traceback__) if "/digest/" in f.filename.replace("\\", "/")]
    return frames[-1].lineno if frames else None
