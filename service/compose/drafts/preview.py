"""Preview of a draft: the issue that would be made of it; nothing is recorded."""

from __future__ import annotations

from datetime import datetime

from service.compose.composition import IssuePlan
from service.compose.lateness import occurrence_at
from service.compose.stage import Composer, Preview, start_composition
from service.core.errors import UnknownName
from service.core.model import Digest, Draft, Group


async def preview_draft(composer: Composer, draft: Draft, digest: Digest, *, now: datetime) -> Preview:
    """Return the issue of the draft with this digest. Raises UnknownName for an unknown newsletter."""
    newsletter = composer.newsletters.get(draft.newsletter)
    if newsletter is None:
        raise UnknownName("newsletter", draft.newsletter, composer.newsletters)
    group = Group(digest.edition, draft.edition_key, draft.served_from, draft.due_at, draft.size)
    occurrence = occurrence_at(group.edition, draft.due_at).name
    plan = IssuePlan(
        group, newsletter, occurrence, draft.due_at, digest.at, draft.served_from, draft.served_through
    )
    composition = await start_composition(composer, now, assign_stories=False)
    return Preview(*await composition.issue_of(plan, digest))
