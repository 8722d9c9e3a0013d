"""FileFetcher (EDGE disk): reads the feeds that feeds.yaml names with a `file:` address."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote

from typing_extensions import override

from service.gather.http.decompression import format_megabytes
from service.gather.ports import Fetched, Fetcher, FetchFailed, FetchResult, NotModified

SCHEME = "file:"


def is_file_address(url: str) -> bool:
    """Return whether the address is that of a file. Only feeds.yaml may name one, never a feed or a page."""
    return url.lower().startswith(SCHEME)


def path_of(url: str, config_folder: Path) -> Path:
    """Return the path of `file:notices.xml` (in `config_folder`) or `file:///srv/notices.xml` (absolute)."""
    rest = unquote(url[len(SCHEME) :])
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return config_folder / rest


@dataclass(frozen=True, slots=True)
class FileFetcher(Fetcher):
    """Fetches files. The etag is size and modification time, so that an unchanged file is not read."""

    config_folder: Path
    max_bytes: int = 16 * 1024 * 1024

    @override
    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        return await asyncio.to_thread(self.read, path_of(url, self.config_folder), url, etag)

    def read(self, path: Path, url: str = "", etag: str | None = None) -> FetchResult:
        """Read the file at `path`; `url` is its address in the result. Errors are FetchFailed."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                return FetchFailed(f"{path} is not a file")
            if stat.st_size > self.max_bytes:
                return FetchFailed(f"the file is larger than {format_megabytes(self.max_bytes)}")
            current = f"{stat.st_size}-{stat.st_mtime_ns}"
            if current == etag:
                return NotModified()
            return Fetched(url=url, body=path.read_bytes(), etag=current)
        except FileNotFoundError:
            return FetchFailed(f"there is no file {path}")
        except (OSError, ValueError) as error:
            detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return FetchFailed(f"the file {path} cannot be read: {detail.lower()}")
