"""Story accounts: two publishers tell one event in words of their own."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.compose.story_series import Series, articles_of


def read_accounts() -> dict[str, Series]:
    """Return the accounts of each event by its name."""
    rows = tomllib.loads(Path(__file__).with_name("story_accounts.toml").read_text(encoding="utf-8"))["event"]
    return {row["name"]: articles_of(row["name"], row.get("language", "en"), row["accounts"]) for row in rows}
