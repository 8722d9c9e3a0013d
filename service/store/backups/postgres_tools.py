"""PostgreSQL's own tools (EDGE pg_dump, pg_restore, psql): make and replay archives of our tables.

The password is in an environment variable, because arguments are visible in the list of processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from service.core.errors import StoreError
from service.store.migrate import VERSION_TABLE
from service.store.partitions import NAME_PATTERN
from service.store.schema import metadata

TABLES = (VERSION_TABLE, *(table.name for table in metadata.sorted_tables))
"""The tables in a backup. Tables of PgQueuer in older databases are not included: nothing uses them."""

MAGIC = b"PGDMP"
"""The first bytes of an archive of pg_dump --format=custom."""

KINDS = (
    "TABLE DATA",
    "TABLE ATTACH",
    "TABLE",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "SEQUENCE",
    "DEFAULT",
    "FK CONSTRAINT",
    "CONSTRAINT",
    "INDEX ATTACH",
    "INDEX",
)
"""The archive entries that make tables; archives of older versions also have the job queue's functions."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup of a PostgreSQL database: the lines of our entries in its list, the schema and the tables."""

    path: Path
    lines: tuple[str, ...]
    schema: str
    tables: tuple[str, ...]


def dump(storage: str, target: Path) -> None:
    """Write our tables into the archive `target`. Raises StoreError."""
    tables = (f"--table={name}" for name in (*TABLES, NAME_PATTERN))
    _run(storage, "pg_dump", "--format=custom", f"--file={target}", *tables)


def read_archive(source: Path) -> Archive:
    """Return the backup's list of entries. Raises StoreError for another kind of file."""
    if not source.is_file():
        raise StoreError(f"there is no backup at {source}")
    with source.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{source} is no backup of a PostgreSQL database")
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [_program("pg_restore"), "--list", str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoreError(f"the backup {source} is damaged: {_last_line(done.stderr)}")
    entries = [(line, entry) for line in done.stdout.splitlines() if (entry := _entry(line))]
    tables = [(schema, name) for _, (kind, schema, name) in entries if kind == "TABLE"]
    if VERSION_TABLE not in {name for _, name in tables}:
        raise StoreError(f"{source} is no backup of a Caveat database")
    schemas = {schema for schema, _ in tables}
    if len(schemas) > 1:
        raise StoreError(f"{source} holds tables in several schemas: {', '.join(sorted(schemas))}")
    lines = tuple(line for line, _ in entries)
    return Archive(source, lines, schemas.pop(), tuple(name for _, name in tables))


def replay(storage: str, archive: Archive, *, before: Sequence[str], after: Sequence[str]) -> None:
    """Run `before`, the archive's statements, and `after` in one transaction. Raises StoreError."""
    address, environment = _connection(storage)
    with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write("".join(f"{line}\n" for line in archive.lines))
        wanted.flush()
        options = ["--no-owner", "--no-privileges", f"--use-list={wanted.name}", "--file=-"]
        psql = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        failed = ""
        with psql:
            try:
                failed = _feed(psql, [_program("pg_restore"), *options, str(archive.path)], before, after)
            except BrokenPipeError:
                failed = "psql ended early"
        if failed or psql.returncode:
            errors.seek(0)
            output = errors.read().decode(errors="replace")
            raise StoreError(f"the backup {archive.path} cannot be restored: {_error_line(output) or failed}")


def _feed(
    psql: subprocess.Popen[bytes], reader: list[str], before: Sequence[str], after: Sequence[str]
) -> str:
    """Write the transaction into psql; return the error while reading the archive ("": none).

    Without COMMIT the transaction is rolled back when psql ends.
    """
    assert psql.stdin is not None  # noqa: S101 - we asked for a pipe
    _write(psql, "BEGIN;", *before)
    done = subprocess.run(reader, stdout=psql.stdin, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own argument list, no shell
    if done.returncode:
        return _last_line(done.stderr.decode(errors="replace"))
    _write(psql, *after, "COMMIT;")
    return ""


def _write(psql: subprocess.Popen[bytes], *statements: str) -> None:
    assert psql.stdin is not None  # noqa: S101 - we asked for a pipe
    psql.stdin.write("".join(f"{statement}\n" for statement in statements).encode())
    psql.stdin.flush()


def _entry(line: str) -> tuple[str, str, str] | None:
    """Return kind, schema and name of an entry of our tables, or None for another entry.

    Example: `215; 1259 16386 TABLE public feeds caveat`. A kind may have several words.
    """
    number, semicolon, rest = line.partition("; ")
    if not semicolon or not number.isdecimal() or "pgqueuer" in rest:
        return None
    words = rest.split(" ", 2)[-1]
    for kind in KINDS:
        if words.startswith(f"{kind} "):
            schema, _, names = words[len(kind) + 1 :].partition(" ")
            return kind, schema, names.split(" ")[0]
    return None


def _run(storage: str, tool: str, *options: str) -> None:
    address, environment = _connection(storage)
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [_program(tool), f"--dbname={address}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = _last_line(done.stderr) or f"it left with code {done.returncode}"
        raise StoreError(f"{tool} could not finish: {said}")


def _connection(storage: str) -> tuple[str, dict[str, str]]:
    """Return the address without its password, and the environment with it."""
    place = make_url(storage)
    query = dict(place.query)
    password = str(query.pop("password", "") or place.password or "")
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = password
    # A new URL, because URL.set() cannot remove a password, which libpq would prefer to the environment's.
    address = URL.create(
        "postgresql", place.username, None, place.host, place.port, place.database, query
    ).render_as_string(hide_password=False)
    return address, environment


def _program(tool: str) -> str:
    program = shutil.which(tool)
    if program is None:
        raise StoreError(f"{tool} is not installed (on Debian and Ubuntu: apt install postgresql-client)")
    return program


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or [""])[-1]


def _error_line(said: str) -> str:
    """Return the first error; the following ones are its consequences."""
    errors = [line for line in said.splitlines() if "ERROR" in line or "FATAL" in line or "error:" in line]
    return errors[0] if errors else _last_line(said)
