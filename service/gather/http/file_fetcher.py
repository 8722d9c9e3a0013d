"""Files (EDGE disk): feeds that the config names as `file:`, read from where the config folder says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote

from service.gather.http.decompression import megabytes
from service.gather.ports import Answer, Failed, Fetched, NotModified

SCHEME = "file:"


def is_file(url: str) -> bool:
    """Tell whether the address is one of a file. Only config may name one, never a feed or a page."""
    return url.lower().startswith(SCHEME)


def path_of(url: str, house: Path) -> Path:
    """Return the path behind `file:notices.xml` (relative to `house`) or `file:///srv/notices.xml`."""
    rest = unquote(url[len(SCHEME) :])
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return house / rest


@dataclass(frozen=True, slots=True)
class Files:
    """A Fetcher of files. The etag is made of size and time of change: an old file is not read."""

    house: Path
    largest: int = 16 * 1024 * 1024

    async def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Answer:  # noqa: ARG002 - the Fetcher's shape
        """Return the file's content; what is wrong with it is a Failed."""
        return await asyncio.to_thread(self.read, path_of(url, self.house), url, etag)

    def read(self, path: Path, url: str = "", etag: str | None = None) -> Answer:
        """Return the content of the file at `path`, as `fetch` does."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                return Failed(f"{path} is no file")
            if stat.st_size > self.largest:
                return Failed(f"the file is larger than {megabytes(self.largest)}")
            mark = f"{stat.st_size}-{stat.st_mtime_ns}"
            if mark == etag:
                return NotModified()
            return Fetched(url=url, body=path.read_bytes(), etag=mark)
        except FileNotFoundError:
            return Failed(f"there is no file {path}")
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Failed(f"the file {path} cannot be read: {said.lower()}")
