"""Themes: a digest -> subject, HTML and text (EDGE: jinja2, css-inline, the files of the theme).

A theme is a folder of three templates and, optionally, a labels.toml. Templates run in a sandbox, get a
DigestView and nothing else, and fail on an unknown name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import Any

import css_inline
from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from typing_extensions import override

from service.compose.ports import Renderer
from service.compose.render.story_view import MAX_CACHED_VIEWS, ViewCache
from service.compose.render.text_cleaning import shorten, wrap
from service.compose.render.view import VIEWS, PictureView, make_digest_view
from service.core.archive_links import NONE
from service.core.errors import TemplateFailed, UnknownName
from service.core.model import Digest, Picture, RenderedMail, Site
from service.text.i18n import Labels, localizer_for

DIGEST_TEMPLATES = "digest"  # the folder of all themes
DEFAULT_THEME = "daily"  # has the labels that another theme lacks
MAX_SUBJECT_CHARACTERS = 150
_TOML_LINE = re.compile(r"\(at line (\d+)")
KEEP_STYLE_MARK = ' data-css-inline="keep"'  # on a <style> with media queries, which cannot be inlined


class JinjaRenderer(Renderer):
    """Renders with the themes in `templates`/digest, overridden by those in `custom`/digest.

    `site` is the sender.
    """

    def __init__(self, templates: Path, site: Site, custom: Path | None = None) -> None:
        self._folder = TemplateFolder(DIGEST_TEMPLATES, templates, custom)
        self._site = site
        self._labels: dict[str, Labels] = {}
        self._views: dict[str, ViewCache] = {}

    @override
    def render(
        self,
        digest: Digest,
        *,
        title: str,
        theme: str,
        issue_id: str,
        archive: str = NONE,
        subscribe_url: str = "",
        picture: Picture | None = None,
    ) -> RenderedMail:
        if theme not in self.themes():
            raise UnknownName("theme", theme, self.themes())
        edition = digest.edition
        localizer = localizer_for(self.labels(theme), edition.language, edition.timezone)
        page = make_digest_view(
            digest,
            localizer,
            title=title,
            site=self._site,
            issue_id=issue_id,
            archive=archive,
            subscribe_url=subscribe_url,
            views=self._views.setdefault(theme, ViewCache(MAX_CACHED_VIEWS)),
        )
        if picture is not None:
            page = replace(page, picture=PictureView.of(picture))
        return self._folder.render(theme, html=edition.format != "text", page=page, say=localizer.text)

    def themes(self) -> tuple[str, ...]:
        """Return the names of all themes."""
        return self._folder.names()

    def labels(self, theme: str) -> Labels:
        """Return the labels of a theme with the packaged ones that it lacks. Raises TemplateFailed."""
        if theme not in self._labels:
            self._labels[theme] = self._folder.labels(DEFAULT_THEME, theme)
        return self._labels[theme]


class _Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox that reads the fields of a view at once: its checks of each took a third of the time.

    A view has only text, numbers and other views, and no method that a template could call.
    """

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) in VIEWS and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


class TemplateFolder:
    """The mail templates in one folder: each a folder of subject.txt, body.html and body.txt.

    A file in the operator's `custom` folder overrides the packaged one of the same name.
    """

    def __init__(self, kind: str, templates: Path, custom: Path | None = None) -> None:
        self._kind = kind
        self._folders = [folder / kind for folder in (custom, templates) if folder is not None]

    def names(self) -> tuple[str, ...]:
        """Return the names of all templates."""
        found = {path.parent.name for folder in self._folders for path in folder.glob("*/body.html")}
        return tuple(sorted(found))

    def render(self, name: str, *, html: bool = True, **values: object) -> RenderedMail:
        """Return the template filled with the values. Raises TemplateFailed."""
        subject = " ".join(self._fill(f"{name}/subject.txt", values).split())
        return RenderedMail(
            subject=shorten(subject, MAX_SUBJECT_CHARACTERS),
            html=self._fill(f"{name}/body.html", values) if html else "",
            text=self._fill(f"{name}/body.txt", values).strip() + "\n",
        )

    def labels(self, *folders: str) -> Labels:
        """Return the labels of these folders, merged label by label; later folders override earlier ones.

        Raises TemplateFailed.
        """
        merged: dict[str, dict[str, Any]] = {}
        for name in dict.fromkeys(folders):
            for folder in reversed(self._folders):
                for language, labels in self._read_labels(folder, name).items():
                    merged.setdefault(language, {}).update(labels)
        return merged

    def _fill(self, name: str, values: dict[str, object]) -> str:
        """Return one file of a template filled with the values; HTML with its styles inlined."""
        try:
            filled = self._environment.get_template(name).render(values)
            return _inline_styles(filled) if name.endswith(".html") else filled
        except Exception as error:  # a template is a program of the operator and may raise anything
            raise TemplateFailed(f"{self._kind}/{name}", _line_of(error, name), str(error)) from error

    def _read_labels(self, folder: Path, name: str) -> Labels:
        path = folder / name / "labels.toml"
        file = f"{self._kind}/{name}/labels.toml"
        if not path.is_file():
            return {}
        try:
            labels = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            line = _TOML_LINE.search(str(error))
            raise TemplateFailed(
                file, int(line[1]) if line else 0, f"it is no labels file: {error}"
            ) from error
        if not all(isinstance(of_language, dict) for of_language in labels.values()):
            reason = "it is no labels file: a label needs the table of its language, as in [en]"
            raise TemplateFailed(file, 0, reason)
        return labels

    @cached_property
    def _environment(self) -> ImmutableSandboxedEnvironment:
        environment = _Sandbox(
            loader=FileSystemLoader(self._folders),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        filters: dict[str, Any] = {"wrapped": wrap, "shorten": shorten}
        environment.filters.update(filters)
        return environment


def _inline_styles(html: str) -> str:
    # Linked stylesheets are not fetched: every digest would wait for another server.
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
    return str(inliner.inline(html)).replace(KEEP_STYLE_MARK, "")


def _line_of(error: Exception, name: str) -> int:
    """Return the failing line of a template: from the parser, or from the traceback at run time; else 0."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    frames = [f for f in extract_tb(error.__traceback__) if Path(f.filename).match(name)]
    return (frames[-1].lineno or 0) if frames else 0
