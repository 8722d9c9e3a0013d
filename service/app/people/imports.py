"""Imports from the editors' pages: a file that was uploaded, its dry run, and the import in the background.

The file is kept in a private folder until it is imported, so that an import can continue after a restart: a
repetition changes nothing for the people who are stored already.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.background_jobs import Job
from service.app.subscribers import ImportResult, RefusedRow, import_file
from service.core.errors import UsageError
from service.core.progress import Progress
from service.subscribers.import_formats import escape_formula

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_UPLOAD_BYTES = 32 * 2**20  # a table of 500,000 people; larger ones are imported on the command line
MAX_KEPT_ROWS = 10_000  # refused rows that can be downloaded; all are counted
MAX_KEPT_NOTES = 20
TRANSACTION_ROWS = 500  # subscriptions that are stored at once: about 20 ms, in which the service waits
KEPT_SECONDS = 7 * 86_400  # of a file that nobody imports: it has addresses
KEY_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that waits for its import: `key` is a hash of its content and of the newsletters (ids)."""

    key: str
    name: str
    newsletters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of a dry run or an import, with the first refused rows."""

    result: ImportResult
    refused: tuple[RefusedRow, ...]
    notes: tuple[str, ...]


class ImportFiles:
    """The folder of the files that wait, beside the folder of mails."""

    def __init__(self, app: Application) -> None:
        self._clock = app.clock
        self._folder = Path(app.settings.mail.folder).parent / "imports"

    def keep(self, name: str, data: bytes, newsletters: tuple[str, ...]) -> WaitingFile:
        """Store a file, readable for its owner only; remove those that waited for too long."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_old()
        about = json.dumps([name, newsletters]).encode()
        key = sha256(about + b"\0" + data).hexdigest()[:KEY_CHARACTERS]
        upload = WaitingFile(key, name, newsletters)
        _write_private(self._path(key, "data"), data)
        _write_private(self._path(key, "json"), json.dumps(asdict(upload)).encode())
        return upload

    def find(self, key: str) -> WaitingFile | None:
        """Return the file with this key; None if it is not kept any more."""
        if not (len(key) == KEY_CHARACTERS and key.isalnum() and key.isascii()):
            return None
        try:
            stored = json.loads(self._path(key, "json").read_bytes())
        except (OSError, ValueError):
            return None
        return WaitingFile(stored["key"], stored["name"], tuple(stored["newsletters"]))

    def read(self, upload: WaitingFile) -> bytes:
        """Return the content of the file. Raises UsageError if it is not kept any more."""
        try:
            return self._path(upload.key, "data").read_bytes()
        except OSError:
            raise UsageError(f"{upload.name} is not kept any more; upload it again") from None

    def remove(self, upload: WaitingFile) -> None:
        """Remove the file."""
        for ending in ("data", "json"):
            self._path(upload.key, ending).unlink(missing_ok=True)

    def _path(self, key: str, ending: str) -> Path:
        return self._folder / f"{key}.{ending}"

    def _remove_old(self) -> None:
        oldest = self._clock().timestamp() - KEPT_SECONDS
        for path in self._folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


async def keep_upload(app: Application, name: str, data: bytes, newsletters: tuple[str, ...]) -> WaitingFile:
    """Store an uploaded file for its dry run. Raises UsageError if it is empty, or a newsletter unknown."""
    if not data:
        raise UsageError("choose a file with at least one row")
    unknown = [one for one in newsletters if app.roster.newsletter(one) is None]
    if unknown:
        raise UsageError(f"there is no newsletter {unknown[0][:64]!r}")
    shown = "".join(char if char.isprintable() else " " for char in Path(name).name)[:200] or "file"
    return await asyncio.to_thread(ImportFiles(app).keep, shown, data, newsletters)


async def find_upload(app: Application, key: str) -> WaitingFile | None:
    """Return the uploaded file with this key, None if it is not kept any more."""
    return await asyncio.to_thread(ImportFiles(app).find, key)


def find_job(app: Application, upload_key: str, *, dry_run: bool) -> Job | None:
    """Return the dry run or the import of an uploaded file in this process, running or ended."""
    return app.jobs.find(_job_key(upload_key, dry_run=dry_run))


def start_import(app: Application, upload: WaitingFile, *, dry_run: bool) -> Job:
    """Start the dry run or the import of an uploaded file in the background, or return the one that runs.

    After the import, the file is removed.
    """

    async def work(progress: Progress) -> ImportReport:
        files = ImportFiles(app)
        data = await asyncio.to_thread(files.read, upload)
        refused: list[RefusedRow] = []
        notes: list[str] = []

        def refuse(row: RefusedRow) -> None:
            if len(refused) < MAX_KEPT_ROWS:
                refused.append(row)

        def note(sentence: str) -> None:
            if len(notes) < MAX_KEPT_NOTES:
                notes.append(sentence)

        result = await import_file(
            app,
            io.BytesIO(data),
            upload.name,
            default_newsletters=upload.newsletters,
            dry_run=dry_run,
            on_refusal=refuse,
            on_note=note,
            progress=progress,
            transaction_rows=TRANSACTION_ROWS,
        )
        if not dry_run:
            await asyncio.to_thread(files.remove, upload)
        return ImportReport(result, tuple(refused), tuple(notes))

    return app.jobs.start(_job_key(upload.key, dry_run=dry_run), app, work, about=upload)


def refused_csv(rows: Sequence[RefusedRow]) -> Iterator[str]:
    """Yield the lines of a table of refused rows, without a cell that a spreadsheet takes for a formula."""
    for cells in (("line", "reason"), *((str(row.line), row.reason) for row in rows)):
        line = io.StringIO()
        csv.writer(line).writerow(map(escape_formula, cells))
        yield line.getvalue().encode("utf-8", "replace").decode()


def _job_key(upload_key: str, *, dry_run: bool) -> str:
    return f"{'check' if dry_run else 'import'} {upload_key}"


def _write_private(path: Path, data: bytes) -> None:
    unfinished = path.with_suffix(f"{path.suffix}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_bytes(data)
    unfinished.rename(path)
