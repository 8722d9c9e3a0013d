"""Lead picture: the picture of an issue's first story, for the newsletters that show it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from service.compose.ports import PictureSource
from service.core.model import Digest, Newsletter, Picture, Placement

MAX_FAILURES = 6  # of a pass; pictures that cannot be had delay its issues by at most 90 seconds
MAX_KEPT = 50  # pictures of a pass, 60 kB each


@dataclass(slots=True)
class LeadPictures:
    """The pictures of one pass of compose: each is fetched once for all editions. Without a source, none."""

    source: PictureSource | None = None
    _found: dict[str, Picture | None] = field(default_factory=dict)
    _failures: int = 0

    async def of(self, digest: Digest, newsletter: Newsletter) -> Picture | None:
        """Return the picture of the digest's lead: that of its first article with one.

        None if the newsletter or its format shows none, if there is none, and if it cannot be had.
        """
        if not newsletter.lead_picture or self.source is None or digest.edition.format == "text":
            return None
        leads = digest.placed(Placement.LEAD)
        article = next((one for story in leads for one in story.articles if one.picture), None)
        if article is None:
            return None
        found = await self._picture(self.source, article.picture)
        return replace(found, publisher=article.publisher) if found else None

    async def _picture(self, source: PictureSource, url: str) -> Picture | None:
        if url in self._found:
            return self._found[url]
        if self._failures >= MAX_FAILURES:
            return None
        picture = await source.picture(url)
        self._failures += picture is None
        if len(self._found) >= MAX_KEPT:
            self._found.clear()
        self._found[url] = picture
        return picture
