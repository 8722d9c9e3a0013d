"""The web server of the demo: serves the bundled feeds and pages on this machine's loopback address."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

CONTENT_TYPES = {".xml": "application/rss+xml; charset=utf-8", ".html": "text/html; charset=utf-8"}
HOURS_AGO = re.compile(r"\{date-(\d+)\}")
LOOPBACK = "127.0.0.1"


@contextmanager
def serve_sample(folder: Path, *, port: int, now: datetime) -> Iterator[str]:
    """Serve the folder on a loopback port within the block; yield its URL, without a final slash.

    In each file `{base}` is replaced by that URL, and `{date-N}` by the time N hours before `now` (RFC 5322).
    Raises OSError if the port is in use.
    """
    base = f"http://{LOOPBACK}:{port}"

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Send the file with its placeholders replaced."""
            path = (folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
            if not (
                path.is_relative_to(folder.resolve()) and path.is_file() and path.suffix in CONTENT_TYPES
            ):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = fill_placeholders(path.read_text(encoding="utf-8"), base=base, now=now).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", CONTENT_TYPES[path.suffix])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: the demo prints its own progress."""

    server = ThreadingHTTPServer((LOOPBACK, port), Page)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fill_placeholders(text: str, *, base: str, now: datetime) -> str:
    """Return the text of a sample file with its placeholders replaced."""
    return HOURS_AGO.sub(
        lambda mark: format_datetime(now - timedelta(hours=int(mark[1]))), text.replace("{base}", base)
    )


def free_port() -> int:
    """Return a TCP port of this machine that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
