"""Database URLs: check `storage` of caveat.yaml, and add the folder or the password."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from service.core.secret import HIDDEN

_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")


class InvalidStorageUrl(ValueError):
    """`storage` is not a usable database URL; the text says why and does not repeat the URL."""


def storage_url(text: str, folder: Path, password: str = "") -> tuple[str, str]:
    """Return the URL with an absolute path or the password, and the same URL without the password.

    Raises InvalidStorageUrl.
    """
    scheme, found, rest = text.strip().partition("://")
    if not found or not re.fullmatch(r"[a-z0-9+]+", scheme):
        raise InvalidStorageUrl("this is not the address of a database")
    if scheme.startswith("sqlite"):
        if password:
            raise InvalidStorageUrl("SQLite takes no password")
        return _sqlite(rest, folder)
    if scheme not in _POSTGRES:
        raise InvalidStorageUrl(f"{scheme!r} is not a database that Caveat can use")
    return _postgres(rest, password)


def sqlite_file(url: str) -> Path | None:
    """Return the file of a database URL that `storage_url` returned; None for PostgreSQL."""
    scheme, _, path = url.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def _sqlite(rest: str, folder: Path) -> tuple[str, str]:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path.startswith(":memory:"):
        raise InvalidStorageUrl(
            "SQLite needs a file: a database in memory is lost at the end of each command"
        )
    if "?" in path:
        raise InvalidStorageUrl("SQLite takes a path and no options")
    url = f"sqlite:///{(folder / Path(path).expanduser()).resolve()}"
    return url, url


def _postgres(rest: str, password: str) -> tuple[str, str]:
    try:
        parts = urlsplit(f"postgresql://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidStorageUrl("the host or port of PostgreSQL cannot be read") from None
    if not parts.path.strip("/"):
        raise InvalidStorageUrl("the name of the PostgreSQL database is missing")
    if parts.password and password:
        raise InvalidStorageUrl("the password is both in the address and in storage_password_file")
    secret = password or unquote(parts.password or "")
    user = quote(unquote(parts.username or ""), safe="")
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")

    def complete(shown: str) -> str:
        login = user + (f":{shown}" if shown else "") + "@" if user else ""
        return urlunsplit(("postgresql", login + where, parts.path, parts.query, ""))

    return complete(quote(secret, safe="")), complete(HIDDEN if secret else "")
