"""Generated feeds for benchmarks, with the size and markup of newspapers' feeds, and their server."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

_WORDS = (
    "the a of to in and council bridge river minister agreed Monday percent growth report said however "
    "although market police city north talks aid new plan court house people after before under about"
)
WORDS = _WORDS.split()
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<channel><title>The Example</title><link>https://news.example/</link><description>News</description>"
    "<language>en-GB</language>"
)
FOOT = "</channel></rss>"


def sentence(dice: random.Random, words: int) -> str:
    """Return a sentence of `words` words."""
    return " ".join(dice.choice(WORDS) for _ in range(words)).capitalize() + "."


def item(number: int, paragraphs: int) -> str:
    """Return an item, the same for each number; without paragraphs it is a teaser."""
    dice = random.Random(number)
    body = "".join(
        f'<p class="story">{sentence(dice, 45)} <a href="https://news.example/{n}?a=1&amp;b=2">'
        f"{sentence(dice, 4)}</a> <em>{sentence(dice, 3)}</em></p>"
        f'<figure><img src="https://cdn.example/{number}-{n}.jpg" width="600"/></figure>'
        for n in range(paragraphs)
    )
    content = f"<content:encoded><![CDATA[{body}]]></content:encoded>" if paragraphs else ""
    return (
        f"<item><title>{escape(sentence(dice, 9))} {number}</title>"
        f"<link>https://news.example/story/{number}</link><guid isPermaLink='false'>tag:{number}</guid>"
        f"<pubDate>Mon, 02 Mar 2026 {number % 24:02}:{number % 60:02}:00 GMT</pubDate>"
        f"<dc:creator><![CDATA[Reporter {number % 9}]]></dc:creator><category><![CDATA[World]]></category>"
        f"<description><![CDATA[{sentence(dice, 35)}]]></description>{content}</item>"
    )


def feed(numbers: Iterable[int], paragraphs: int = 4) -> bytes:
    """Return a feed of these items."""
    return (HEAD + "\n".join(item(number, paragraphs) for number in numbers) + FOOT).encode()


@contextlib.contextmanager
def served(files: dict[str, bytes], packed: Iterable[str] = ()) -> Iterator[str]:
    """Serve the files by nginx, those in `packed` as gzip; yield the base URL."""
    with tempfile.TemporaryDirectory(prefix="caveat-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "www").mkdir()
        for name, content in files.items():
            (root / "www" / name).write_bytes(content)
        port = _free_port()
        (root / "nginx.conf").write_text(_configuration(root, port, packed), encoding="utf-8")
        server = subprocess.Popen(["nginx", "-c", str(root / "nginx.conf")])
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _configuration(root: Path, port: int, packed: Iterable[str]) -> str:
    gzipped = "".join(f"location = /{name} {{ add_header Content-Encoding gzip; }}\n" for name in packed)
    paths = "".join(
        f"{kind}_temp_path {root}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; worker_processes 1; pid {root}/pid; error_log {root}/errors;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; keepalive_requests 1000000; {paths} types {{ application/rss+xml xml; }}\n"
        f"server {{ listen 127.0.0.1:{port}; root {root}/www; {gzipped} }} }}\n"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
            return
        time.sleep(0.05)
    raise SystemExit("nginx did not start")
