"""The EPUB of an issue has the structure that EPUB 3.3 asks for, with any content."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as ET

import aiohttp

from service.compose.render.typography import typographic
from service.core.model import Placement
from tests.compose.digests import (
    a_digest,
    a_story,
    point,
    published,
    the_ballot,
    the_ballot_in_arabic,
    the_front_page,
)
from tests.store.stores import an_edition
from tests.web.archive.conftest import ArchiveSite, the_issue

Web = aiohttp.ClientSession
OPF, DC = "{http://www.idpf.org/2007/opf}", "{http://purl.org/dc/elements/1.1/}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def parsed(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own server wrote it


async def book_of(archive: ArchiveSite, web: Web, digest, **issue) -> zipfile.ZipFile:
    answer = await web.get(await archive.page(await archive.publish(digest, **issue), "epub"))
    assert answer.status == 200
    assert answer.content_type == "application/epub+zip"
    assert answer.headers["Content-Disposition"].endswith('.epub"')
    return zipfile.ZipFile(io.BytesIO(await answer.read()))


async def test_the_type_is_the_first_file_and_not_compressed(archive: ArchiveSite, web: Web):
    """EPUB 3.3, 4.2.2: at offset 30 is the name, at 38 the type."""
    answer = await web.get(await archive.page(await archive.publish(the_issue()), "epub"))
    head = (await answer.read())[:58]

    assert head[:2] == b"PK"
    assert head[30:] == b"mimetypeapplication/epub+zip"


async def test_every_file_is_in_the_manifest_and_every_item_exists(archive: ArchiveSite, web: Web):
    book = await book_of(archive, web, the_front_page())
    container = parsed(book.read("META-INF/container.xml"))
    (rootfile,) = container.iter("{urn:oasis:names:tc:opendocument:xmlns:container}rootfile")
    package = parsed(book.read(rootfile.get("full-path")))
    items = {item.get("id"): item for item in package.iter(f"{OPF}item")}

    written = {name.removeprefix("EPUB/") for name in book.namelist() if name.startswith("EPUB/")}
    assert {item.get("href") for item in items.values()} == written - {"package.opf"}
    assert [item.get("id") for item in items.values() if item.get("properties") == "nav"] == ["nav"]
    assert [ref.get("idref") for ref in package.iter(f"{OPF}itemref")] == ["part-1"]
    for name in ("identifier", "title", "language"):
        assert package.find(f".//{DC}{name}").text
    assert package.find(f".//{DC}identifier").get("id") == package.get("unique-identifier")


async def test_the_contents_lead_to_the_stories(archive: ArchiveSite, web: Web):
    digest = the_front_page()
    book = await book_of(archive, web, digest)
    navigation = parsed(book.read("EPUB/nav.xhtml"))
    chapter = parsed(book.read("EPUB/part-1.xhtml"))
    ids = {element.get("id") for element in chapter.iter()}

    links = [link.get("href") for link in navigation.iter(f"{XHTML}a")]
    assert len(links) == len(digest.placed(Placement.LEAD, Placement.STORY)) > 1
    assert all(link.removeprefix("part-1.xhtml#") in ids for link in links)
    text = "".join(chapter.itertext())
    for story in digest.stories:
        assert story.headline in text
        assert all(typographic(one.text, one.article.language) in text for one in story.points)


async def test_a_book_has_the_language_and_direction_of_its_issue(archive: ArchiveSite, web: Web):
    edition = an_edition(language="ar", timezone="UTC")
    book = await book_of(archive, web, a_digest(the_ballot_in_arabic(), the_ballot()), edition=edition)
    chapter = parsed(book.read("EPUB/part-1.xhtml"))

    assert (chapter.get("lang"), chapter.get("dir")) == ("ar", "rtl")
    assert b'page-progression-direction="rtl"' in book.read("EPUB/package.opf")
    assert any(element.get("dir") == "ltr" for element in chapter.iter())


async def test_hostile_text_leaves_every_file_well_formed(archive: ArchiveSite, web: Web):
    article = published("]]></p><script>\x0b\ufffe&nbsp; \"'", "<i>", url="javascript:alert(1)")
    digest = a_digest(a_story([point(article, "<b>&amp;\x00\ud800</b>")]))
    book = await book_of(archive, web, digest)

    for name in book.namelist():
        if name.endswith(("xhtml", "opf", "xml")):
            assert parsed(book.read(name)) is not None
    assert not list(parsed(book.read("EPUB/part-1.xhtml")).iter(f"{XHTML}script"))


async def test_an_issue_of_which_only_the_mail_is_stored_is_a_book_too(archive: ArchiveSite, web: Web):
    book = await book_of(archive, web, None)
    assert "1. Harbour reopens" in "".join(parsed(book.read("EPUB/part-1.xhtml")).itertext())


async def test_the_same_issue_is_the_same_bytes(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()), "epub")
    first = await (await web.get(url)).read()
    fresh = await archive.app.archive.pages(await archive.app.archive.own_issue(url[-37:-5]), 5)

    from service.settings.packaged_files import templates_folder  # noqa: PLC0415 - for this test alone
    from service.web.archive.rendering import IssueRenderer  # noqa: PLC0415 - as above
    from service.web.pages import Pages  # noqa: PLC0415 - as above

    assert IssueRenderer(Pages(templates_folder(), archive.app.settings.site)).epub(fresh) == first
