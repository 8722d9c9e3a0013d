"""Full texts: the cost of finding the article in a page, compared with trafilatura's fast setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from _gather_feeds import best, line
from _webpages import cluttered, f1, page

PAGES = Path(__file__).resolve().parents[1] / "service" / "cli" / "demo" / "sample" / "pages"


def pages() -> None:
    """Extract the text of the demo's pages and of generated ones, with links and scripts around it."""
    sample = [cluttered(path.read_text(encoding="utf-8")) for path in sorted(PAGES.glob("*.html"))]
    made = [page(number) for number in range(80)]
    for what, real in (("short pages", sample), ("pages of any length", [html for html, _ in made])):
        _compare(what, real)
    for name, extract in (("ours", _ours), ("trafilatura", _theirs)):
        agreement = sum(f1(extract(html), expected) for html, expected in made) / len(made)
        print(f"{'F1 of the pages of any length, ' + name:<58} {agreement:>22.4f}")


def _compare(what: str, pages: list[bytes]) -> None:
    """Measure pages read whole, and those with a path read where earlier pages have their article."""
    from service.gather.entries.page_paths import LearnedPath  # noqa: PLC0415 - imported only for this part
    from service.gather.pages.full_text import extract_text, read_page  # noqa: PLC0415 - see above

    paths = {html: LearnedPath(read_page(html, "", "").path, is_trusted=True) for html in pages}
    learned = [html for html in pages if read_page(html, "", "", learned=paths[html]).by_path]
    for html in learned:
        if read_page(html, "", "", learned=paths[html]).text != read_page(html, "", "").text:
            raise SystemExit("a page has another text at its path")
    kilobytes = sum(map(len, pages)) // len(pages) // 1024
    theirs = best(lambda: [_theirs(html) for html in pages], 5) / len(pages)
    rows = (
        (f"text of {what}, {kilobytes} KB", pages, extract_text),
        ("    with checks of paywall, subject and language", pages, lambda html: read_page(html, "", "")),
    )
    for name, these, read in rows:
        _print(name, these, read, theirs)
    theirs = best(lambda: [_theirs(html) for html in learned], 5) / len(learned)
    name = f"    the same where the path is learned, {len(learned)} of {len(pages)}"
    _print(name, learned, lambda html: read_page(html, "", "", learned=paths[html]), theirs)


def _print(name: str, pages: list[bytes], read: Callable[[bytes], object], theirs: float) -> None:
    ours = best(lambda: [read(html) for html in pages], 5) / len(pages)
    line(name, f"{ours * 1e3:.1f} ms", f"trafilatura {theirs * 1e3:.1f} ms", theirs / ours)


def _ours(html: bytes) -> str:
    from service.gather.pages.full_text import extract_text  # noqa: PLC0415 - imported only for this part

    return extract_text(html).text


def _theirs(html: bytes) -> str:
    import trafilatura  # noqa: PLC0415 - imported only for this part

    return trafilatura.extract(html, fast=True) or ""
