"""Shared text: an edition in plain text repeats the text part of the same mail in HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from service.compose.ports import Renderer
from service.core.model import Digest, Newsletter, Picture, RenderedMail


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail as it was rendered last, and from what."""

    digest: Digest
    newsletter: Newsletter
    issue_id: str
    picture: Picture | None
    rendered: RenderedMail

    def has_text_of(self, digest: Digest, newsletter: Newsletter, picture: Picture | None) -> bool:
        """Return whether the text part is also that of a digest whose edition differs in format and schedule.

        A theme that shows the id of an issue is rendered anew for each.
        """
        edition = replace(
            digest.edition, format=self.digest.edition.format, schedule=self.digest.edition.schedule
        )
        return (
            self.newsletter == newsletter
            and self.picture == picture
            and self.digest == replace(digest, edition=edition)
            and self.issue_id not in self.rendered.text
        )


@dataclass
class MailRenderer:
    """Renders the issues of a pass. `subscribe_urls` are the sign-up pages of the newsletters (ids)."""

    renderer: Renderer
    subscribe_urls: Mapping[str, str] = field(default_factory=dict)
    _last: _Mail | None = field(default=None, init=False)

    def render(
        self, digest: Digest, newsletter: Newsletter, issue_id: str, picture: Picture | None
    ) -> RenderedMail:
        """Return the rendered digest; see Renderer."""
        last = self._last
        if digest.edition.format == "text" and last and last.has_text_of(digest, newsletter, picture):
            return replace(last.rendered, html="")
        rendered = self.renderer.render(
            digest,
            title=newsletter.title,
            theme=newsletter.theme,
            issue_id=issue_id,
            archive=newsletter.archive,
            subscribe_url=self.subscribe_urls.get(newsletter.id, ""),
            picture=picture,
        )
        self._last = _Mail(digest, newsletter, issue_id, picture, rendered)
        return rendered
