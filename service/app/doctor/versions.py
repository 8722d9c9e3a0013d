"""Versions of the program and of what it stands on."""

from __future__ import annotations

import platform
import sqlite3
from functools import cache
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("starlette", "uvicorn", "SQLAlchemy", "pydantic", "feedparser", "Jinja2", "aiosmtplib")


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return name and version of Caveat, Python, SQLite and the libraries that matter for a fault."""
    found = [
        ("Caveat", version("caveat")),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
    ]
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)
