"""EPUB 3: an issue as a book (pure). By EPUB 3.3, https://www.w3.org/TR/epub-33/."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

MIME_TYPE = "application/epub+zip"
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_STYLE = """body { line-height: 1.4; overflow-wrap: break-word; }
h1 { margin-bottom: 0; }
.kicker, .soft { opacity: .75; }
.kicker { font-weight: bold; }
.small { font-size: .875em; }
.caveats { margin: .5em 0; padding: .5em .75em; list-style: none; border: 1px solid; }
.mail { white-space: pre-wrap; }
"""


@dataclass(frozen=True, slots=True)
class EpubBook:
    """The metadata of a book. `contents` is the heading of its table of contents."""

    id: str
    title: str
    subtitle: str
    language: str
    direction: str
    publisher: str
    created_at: datetime
    contents: str


@dataclass(frozen=True, slots=True)
class EpubChapter:
    """A part of the book: well-formed content for its body, and its places as (id of the element, title)."""

    content: str
    places: tuple[tuple[str, str], ...]


def write_epub(book: EpubBook, chapters: Sequence[EpubChapter]) -> bytes:
    """Return the file. The same book and chapters give the same bytes."""
    names = [f"part-{number}.xhtml" for number in range(1, len(chapters) + 1)]
    files = {
        "META-INF/container.xml": _CONTAINER,
        "EPUB/package.opf": _package(book, names),
        "EPUB/nav.xhtml": _document(book, _navigation(book, chapters, names)),
        "EPUB/style.css": _STYLE,
    }
    for number, (name, chapter) in enumerate(zip(names, chapters, strict=True)):
        head = f"<h1>{escape(book.title)}</h1>\n<p>{escape(book.subtitle)}</p>\n" if number == 0 else ""
        files[f"EPUB/{name}"] = _document(book, head + chapter.content)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        # OCF 4.2: the type is the first file and stored as it is, so that it is found at a fixed offset.
        archive.writestr(_entry(book, "mimetype", zipfile.ZIP_STORED), MIME_TYPE)
        for name, text in files.items():
            archive.writestr(_entry(book, name, zipfile.ZIP_DEFLATED), text.encode())
    return written.getvalue()


def _entry(book: EpubBook, name: str, method: int) -> zipfile.ZipInfo:
    """Return the entry of a file, dated as the book."""
    entry = zipfile.ZipInfo(name, book.created_at.astimezone(UTC).timetuple()[:6])
    entry.compress_type, entry.external_attr = method, 0o644 << 16
    return entry


def _package(book: EpubBook, names: Sequence[str]) -> str:
    modified = book.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    items = "\n".join(
        f'<item id="part-{number}" href="{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(names, start=1)
    )
    spine = "".join(f'<itemref idref="part-{number}"/>' for number in range(1, len(names) + 1))
    language = quoteattr(book.language)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang={language}>
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:caveat:issue:{escape(book.id)}</dc:identifier>
<dc:title>{escape(f"{book.title}, {book.subtitle}")}</dc:title>
<dc:language>{escape(book.language)}</dc:language>
<dc:publisher>{escape(book.publisher)}</dc:publisher>
<dc:date>{modified}</dc:date>
<meta property="dcterms:modified">{modified}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine page-progression-direction={quoteattr(book.direction)}>{spine}</spine>
</package>
"""


def _navigation(book: EpubBook, chapters: Sequence[EpubChapter], names: Sequence[str]) -> str:
    places = [
        (f"{name}#{place}", title)
        for name, chapter in zip(names, chapters, strict=True)
        for place, title in chapter.places
    ] or [(names[0], book.title)]
    lines = "\n".join(
        f'<li><a href="{escape(place)}">{escape(title) or "…"}</a></li>' for place, title in places
    )
    return f'<nav epub:type="toc" id="toc"><h1>{escape(book.contents)}</h1>\n<ol>\n{lines}\n</ol></nav>'


def _document(book: EpubBook, body: str) -> str:
    language, direction = quoteattr(book.language), quoteattr(book.direction)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
  lang={language} xml:lang={language} dir={direction}>
<head><title>{escape(book.title)}</title>
<link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body}
</body>
</html>
"""
