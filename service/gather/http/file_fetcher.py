"""Files (EDGE disk): feeds that the config names as `file:`, read from where the config folder says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote

from service.gather.http.decompression import format_megabytes
from service.gather.ports import Fetched, FetchFailed, FetchResult, NotModified

SCHEME = "file:"


def is_file_address(url: str) -> bool:
    """Tell whether the address is one of a file. Only config may name one, never a feed or a page."""
    return url.lower().startswith(SCHEME)


def path_of(url: str, config_folder: Path) -> Path:
    """Return the path behind `file:notices.xml` (relative to `house`) or `file:///srv/notices.xml`."""
    rest = unquote(url[len(SCHEME) :])
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return config_folder / rest


@dataclass(frozen=True, slots=True)
class FileFetcher:
    """A Fetcher of files. The etag is made of size and time of change: an old file is not read."""

    config_folder: Path
    max_bytes: int = 16 * 1024 * 1024

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,  # noqa: ARG002 - the Fetcher's shape
    ) -> FetchResult:
        """Return the file's content; what is wrong with it is a Failed."""
        return await asyncio.to_thread(self.read, path_of(url, self.config_folder), url, etag)

    def read(self, path: Path, url: str = "", etag: str | None = None) -> FetchResult:
        """Return the content of the file at `path`, as `fetch` does."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                return FetchFailed(f"{path} is no file")
            if stat.st_size > self.max_bytes:
                return FetchFailed(f"the file is larger than {format_megabytes(self.max_bytes)}")
            mark = f"{stat.st_size}-{stat.st_mtime_ns}"
            if mark == etag:
                return NotModified()
            return Fetched(url=url, body=path.read_bytes(), etag=mark)
        except FileNotFoundError:
            return FetchFailed(f"there is no file {path}")
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return FetchFailed(f"the file {path} cannot be read: {said.lower()}")
