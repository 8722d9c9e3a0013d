"""fast_xml gives the result of feedparser, or none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.gather.formats import rss_atom
from service.gather.formats.fast_xml_names import ATOM, CONTENT, DC, DC_TERMS, ITUNES, MEDIA, RDF, RSS1
from service.gather.formats.split_items import split_items

URL = "https://a.example/feed"
PODCAST = "https://podcastindex.org/namespace/1.0"
PREFIXES = (
    f"xmlns:a='{ATOM}' xmlns:content='{CONTENT}' xmlns:dc='{DC}' xmlns:dcterms='{DC_TERMS}' "
    f"xmlns:itunes='{ITUNES}' xmlns:media='{MEDIA}' xmlns:p='{PODCAST}' "
    "xmlns:slash='http://purl.org/rss/1.0/modules/slash/' xmlns:wfw='http://wellformedweb.org/CommentAPI/'"
)
SHAPES = {
    "rss": (f"<rss version='2.0' {PREFIXES}><channel>", "item", "</channel></rss>"),
    "rdf": (
        f"<rdf:RDF xmlns:rdf='{RDF}' xmlns='{RSS1}' {PREFIXES.partition(' ')[2]}><channel>",
        "item",
        "</rdf:RDF>",
    ),
    "atom": (f"<feed xmlns='{ATOM}' xml:lang='en-GB' {PREFIXES}>", "entry", "</feed>"),
}
TEXTS = (
    "plain words",
    " spaces around\n",
    "",
    "Fish &amp; chips &lt;b&gt;bold&lt;/b&gt; &amp;amp; more",
    "<![CDATA[<p>Marked <b>up</b> & <item>not one</item></p>]]>",
    "<![CDATA[a <c> that is no tag]]>",
    "&amp;#8217; and &amp;copy; and &amp;nosuch;",
    "&#8220;quoted&#8221; Größe 橋",
    "Ã©tÃ©",
    "\x85 a control",
    "one\n\ntwo",
    "<!-- seen --> words <?and more?>",
    "<b>inline</b> markup",
    "a" * 600,
)
LINKS = (
    "https://a.example/1",
    "http://a.example:8080/x/../y?a=1&amp;b=2;c#f",
    "/rooted",
    "relative.html",
    "?q=1",
    "",
    "https:///a.example//x",
    "//other.example/x",
    "javascript:alert(1)",
    "urn:uuid:1",
    "HTTPS://A.example/é ü",
    " https://a.example/2 ",
    "http://[bad",
    "https://a.example/?x&amp;copy=1",
)
DATES = (
    "Mon, 02 Mar 2026 10:00:00 GMT",
    "2026-03-02T10:00:00Z",
    "2026-03-02",
    "yesterday",
    "",
    "Mon, 99 Foo",
    "<![CDATA[ 2026-03-02T10:00:00+05:30 ]]>",
)


def element(name: str, texts: st.SearchStrategy[str], *attributes: str) -> st.SearchStrategy[str]:
    chosen = st.sampled_from(attributes or ("",))
    return st.builds(lambda text, given: f"<{name}{given}>{text}</{name}>", texts, chosen)


A_TEXT, A_LINK, A_DATE = st.sampled_from(TEXTS), st.sampled_from(LINKS), st.sampled_from(DATES)
TYPES = ("", " type='html'", " type='text'", " type='TEXT/HTML'", " type='xhtml'", " type='image/png'")
ODD = st.sampled_from(
    (
        "<enclosure url='https://a.example/1.mp3' length='1' type='audio/mpeg'/>",
        "<category domain='x'>News</category>",
        "<category domain='x'/>",
        "<category/>",
        "<category>Arts &amp;amp; Culture</category>",
        "<category>Ã©tÃ©</category>",
        "<category><![CDATA[ World/Africa ]]></category>",
        "<category term='t' scheme='s' label='Label'/>",
        "<category term='t'>text</category>",
        "<a:category term='economy' label='Economy &amp;amp; more'/>",
        "<media:category scheme='urn:x' label='Front'>top/news</media:category>",
        "<media:keywords>one, two,,three</media:keywords>",
        "<itunes:keywords>four,five</itunes:keywords>",
        "<itunes:category text='Tech'/>",
        "<enclosure url='https://a.example/1.jpg' length='1' type='image/JPEG'/>",
        "<enclosure url='' type='image/jpeg'/>",
        "<a:link rel='enclosure' type='image/png' href='https://a.example/2.png'/>",
        "<a:link rel='Enclosure' type='image/png' href='/3.png'/>",
        "<media:content url='https://a.example/4.jpg' medium='image' width='140'/>",
        "<media:content url='https://a.example/5.jpg' type='image/jpeg' width='700'/>",
        "<media:content url='x.mp4' type='video/mp4'><media:thumbnail url='http://a.example/6.jpg'/></media:content>",
        "<media:thumbnail url='https://a.example/7.png' width='240'/>",
        "<media:thumbnail>https://a.example/8.png</media:thumbnail>",
        "<media:group><media:content url='https://a.example/9.webp'/><media:category>Deep</media:category></media:group>",
        "<source url='https://s.example/'>Source</source>",
        "<media:group><media:title>Other</media:title><media:thumbnail url='x'/></media:group>",
        "<media:content url='x'><media:description>told</media:description></media:content>",
        "<media:title>Other title</media:title>",
        "<itunes:owner><itunes:name>N</itunes:name></itunes:owner>",
        "<itunes:duration>10:00</itunes:duration>",
        "<itunes:title>Another</itunes:title>",
        "<p:person role='host'>Jane</p:person>",
        "<p:alternateEnclosure type='x'><p:source uri='y'/></p:alternateEnclosure>",
        "<media:title xmlns:media='https://no.example/'>Not media</media:title>",
        "<q:title xmlns:q='https://no.example/'>Not ours</q:title>",
        "<title xmlns='https://no.example/'>Not ours</title>",
        "<post-id xmlns='com-wordpress:feed-additions:1'>7</post-id>",
        "<a:link href='https://a.example/atom'/>",
        "<a:link rel='replies' type='text/html' href='/replies'/>",
        "<a:link rel='ALTERNATE' href='/alternate' xml:base='https://b.example/'/>",
        "<a:link rel='alternate' type='application/xhtml+xml' href='x'/>",
        "<link href='https://a.example/as-attribute'/>",
        "<dc:title>Dublin</dc:title>",
        "<dc:description>Dublin says</dc:description>",
        "<dc:subject>Subject</dc:subject>",
        "<dc:language>fr</dc:language>",
        "<slash:comments>3</slash:comments>",
        "<wfw:commentRss>https://a.example/c</wfw:commentRss>",
        "<image><url>u</url><title>T</title></image>",
        "<textinput><title>T</title></textinput>",
        "<a:author><a:name>Ann</a:name><a:email>a@a.example</a:email></a:author>",
        "<a:author>Ann <a:uri>https://a.example</a:uri></a:author>",
        "<a:author> <a:uri>https://a.example</a:uri> </a:author>",
        "<a:contributor><a:name>Con</a:name></a:contributor>",
        "<a:source><a:title>S</a:title></a:source>",
        "<body xmlns='http://www.w3.org/1999/xhtml'><p>x</p></body>",
        "<!-- <item> -->",
        "stray text",
        "<unknown a='b'>x</unknown>",
        "<Title>Upper</Title>",
        "<content:encoded xml:base='https://b.example/'>x</content:encoded>",
    )
)
PARTS = st.one_of(
    element("title", A_TEXT, "", "", " type='html'"),
    element("link", A_LINK),
    element("guid", st.one_of(A_LINK, A_TEXT), "", " isPermaLink='false'", " isPermaLink='true'"),
    element("description", A_TEXT),
    element("content:encoded", A_TEXT),
    element("itunes:summary", A_TEXT),
    element("itunes:author", A_TEXT),
    element("dc:creator", A_TEXT, "", " xml:lang='en'"),
    element("author", A_TEXT),
    element("pubDate", A_DATE),
    element("dc:date", A_DATE),
    element("dcterms:modified", A_DATE),
    ODD,
)
ATOM_PARTS = st.one_of(
    element("title", A_TEXT, *TYPES),
    element("summary", A_TEXT, *TYPES),
    element("content", A_TEXT, *TYPES, " src='https://a.example/x' type='html'"),
    element("id", A_LINK),
    st.builds(lambda link: f'<link href="{link}"/>', A_LINK),
    element("published", A_DATE),
    element("updated", A_DATE),
    element("author", element("name", A_TEXT)),
    ODD,
)
BESIDE = st.sampled_from(
    (
        "<title>The Example</title>",
        "<title>Another</title>",
        "<language>en-us</language>",
        "<dc:language>de</dc:language>",
        "<ttl>60</ttl>",
        "<ttl unit='x'>60</ttl>",
        "<description>About</description>",
        "<itunes:summary>About</itunes:summary>",
        "<a:link href='https://a.example/feed' rel='self'/>",
        "<link>https://a.example/</link>",
        "<image><url>u</url><title>T</title><link>l</link></image>",
        "<itunes:owner><itunes:name>N</itunes:name><itunes:email>e</itunes:email></itunes:owner>",
        "<media:title>Beside</media:title>",
        "<lastBuildDate>Mon, 02 Mar 2026 10:00:00 GMT</lastBuildDate>",
        "<author><name>Ann</name></author>",
        "<generator uri='x'>G</generator>",
        "<subtitle type='html'>S</subtitle>",
        "<odd><item>no</item></odd>",
        "<language/>",
    )
)


@st.composite
def feeds(draw: st.DrawFn) -> str:
    """Draw a feed of mostly common items and some arbitrary ones."""
    kind = draw(st.sampled_from(sorted(SHAPES)))
    head, item, foot = SHAPES[kind]
    parts = ATOM_PARTS if kind == "atom" else PARTS
    beside = "".join(draw(st.lists(BESIDE, max_size=2)))
    link = "<link href='https://a.example/0'/>" if kind == "atom" else "<link>https://a.example/0</link>"
    opened = st.sampled_from((item, item, f"{item} a='b'", f"{item} xml:base='https://b.example/'"))
    items = "".join(
        f"<{draw(opened)}>{link}{''.join(draw(st.lists(parts, max_size=4)))}</{item}>"
        for _ in range(draw(st.integers(1, 2)))
    )
    channel = "</channel>" if kind == "rdf" else ""
    return head + beside + channel + items + foot


@given(feeds())
@settings(max_examples=400, deadline=None)
def test_fast_xml_reads_what_feedparser_reads(feed: str):
    document = rss_atom.to_utf8(feed.encode())

    plainly = rss_atom.read_fast(document, URL)

    assert plainly is None or plainly == rss_atom.read(document, URL)


COMMON = {
    "rss": (
        "<item><title>Fish &amp; chips</title><link>https://a.example/1</link><guid>https://a.example/1</guid>"
        "<description><![CDATA[<p>Short</p>]]></description><dc:creator>Ann</dc:creator><category>A</category>"
        "<content:encoded><![CDATA[<p>Long</p>]]></content:encoded>"
        "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
    ),
    "rdf": (
        "<item rdf:about='https://a.example/1'><title>T</title><link>https://a.example/1</link>"
        "<description>D</description><dc:date>2026-03-02T10:00:00Z</dc:date></item>"
    ),
    "atom": (
        "<entry><id>urn:1</id><title type='html'>T &amp;amp; U</title><link href='/1'/>"
        "<updated>2026-03-02T10:00:00Z</updated><author><name>Ann</name></author><summary>S</summary>"
        "<content type='html'>&lt;p&gt;C</content></entry>"
    ),
}


@pytest.mark.parametrize("kind", COMMON)
def test_fast_xml_reads_common_feeds(kind: str):
    head, _, foot = SHAPES[kind]
    document = rss_atom.to_utf8(
        (head + "<title>T</title>" + ("</channel>" if kind == "rdf" else "") + COMMON[kind] + foot).encode()
    )

    plainly = rss_atom.read_fast(document, URL)

    assert plainly is not None
    assert plainly == rss_atom.read(document, URL)
    assert plainly.entries[0].url == "https://a.example/1"


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE rss [<!ENTITY x 'y'>]><rss version='2.0'><channel></channel></rss>",
        "<rss version='2.0'><channel><item><title>never closed</item></channel></rss>",
        "<rss version='2.0' xml:base='https://b.example/'><channel></channel></rss>",
        "<rss version='0.91'><channel></channel></rss>",
        "<html></html>",
        "",
    ],
)
def test_unsupported_documents_are_left_to_feedparser(document: str):
    assert rss_atom.read_fast(document.encode(), URL) is None


@given(st.text(alphabet="<>/item![CDATA]-? \"'=x:&;", max_size=80))
def test_nothing_makes_it_raise(text: str):
    assert rss_atom.read_fast(f"<rss version='2.0'><channel>{text}".encode(), URL) is None
    rss_atom.read_fast(text.encode(), URL)


def test_one_unsupported_item_does_not_affect_the_others():
    head, _, foot = SHAPES["rss"]
    odd = "<item><title><b>Bold</b></title><link>https://a.example/2</link></item>"
    pieces = split_items(rss_atom.to_utf8((head + COMMON["rss"] + odd + foot).encode()))

    assert pieces is not None
    assert rss_atom.read_fast(pieces.with_items({0}), URL) is not None
    assert rss_atom.read_fast(pieces.with_items({1}), URL) is None
