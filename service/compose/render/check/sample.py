"""Sample: a digest with everything that feeds and people may send, to try themes with (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.core.model import (
    Article,
    CaveatKind,
    Correction,
    Digest,
    EarlierFigure,
    Edit,
    Edition,
    Excerpt,
    Grade,
    Picture,
    Placement,
    Role,
    SentenceChange,
    SentIssue,
    SourceHealth,
    Story,
    StoryPoint,
)

SAMPLE_AT = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
SAMPLE_TITLE = "The <b>Sample</b> & “Co”"
SAMPLE_ISSUE = "sample"
SAMPLE_PICTURE = Picture(b"", 1_120, 630, "The <b>Courier</b> & “Co”")
LONG_TITLE_CHARACTERS = 5_000
LONG_URL_CHARACTERS = 2_400

HOSTILE_HEADLINES = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> & “quotes” 'and' \"more\"",
    "{{ 7 * 7 }} {% raw %} {# no comment #} ${x} %(y)s",
    "\u202eRight to left override\u202c \u2066isolate\u2069 z\u200be\u200dr\u200bo width\ufeff",
    "A title without end " * (LONG_TITLE_CHARACTERS // 20),
    "W" + "o" * LONG_TITLE_CHARACTERS + "w",
    "🚒🚒🚒 👩🏽‍🚒 Fire 🔥",
    "",
    "Bell\x07, null\x00, line\u2028separator, surrogate \ud83d and private \ue000name\ue001",
)
HOSTILE_URLS = (
    "",
    "javascript:alert(1)",
    "https://news.example/?q=" + "a" * LONG_URL_CHARACTERS,
    'https://news.example/"><script>',
    "https://user:password@news.example/",
    "https://news.example/a b?x=1&amp=2#part",
)
RIGHT_TO_LEFT_STORY = (
    "ar",
    "اكتشاف بئر مياه عذبة عند أطراف المدينة",
    ("تكفي البئر الجديدة حاجة 40 ألف نسمة من مياه الشرب.", "غير أن نتائج الفحص المخبري لم تصدر بعد."),
)
LEFT_TO_RIGHT_STORIES = (
    (
        "de",
        "Lokführer beenden ihren Streik",
        ("Die Züge rollen ab Mittwoch.", "Die Mitglieder müssen zustimmen."),
    ),
    (
        "zh",
        "高原天文台公布首批星系图像",
        ("新望远镜拍摄了两千多个遥远的星系。", "这些数据尚未经过同行评审。"),
    ),
)


def sample_digest(edition: Edition) -> Digest:
    """Return a digest of every placement, with every kind of caveat, corrections and unhealthy sources."""
    foreign = [
        _plain_story(number, *told)
        for number, told in enumerate((RIGHT_TO_LEFT_STORY, *LEFT_TO_RIGHT_STORIES))
    ]
    lines = [_line(number, title) for number, title in enumerate(HOSTILE_HEADLINES)]
    on_the_web = replace(_line(90, "Only on the web page"), placement=Placement.WEB)
    return Digest(
        edition,
        SAMPLE_AT,
        (_lead(), _update(), *foreign, *lines, on_the_web),
        left_out=3,
        corrections=(_correction(),),
        unhealthy_sources=(
            SourceHealth(
                "Silent & <Sons>", ("world",), is_healthy=False, last_healthy_at=SAMPLE_AT - timedelta(days=3)
            ),
            SourceHealth("Never heard", ("world",), is_healthy=False, last_healthy_at=None),
        ),
    )


def small_digest(edition: Edition) -> Digest:
    """Return a digest of one story without a caveat, a link or a date."""
    article = replace(_article(70, "One story alone", url=""), published_at=None)
    return Digest(
        edition,
        SAMPLE_AT,
        (replace(_story([_point(article, "It happened once.")]), placement=Placement.LEAD),),
    )


def empty_digest(edition: Edition) -> Digest:
    """Return a digest without a story."""
    return Digest(edition, SAMPLE_AT, ())


def _article(
    number: int, title: str, *, url: str | None = None, language: str = "en", publisher: str = ""
) -> Article:
    at = SAMPLE_AT - timedelta(hours=2 + number % 40)
    return Article(
        id=f"sample-{number}",
        feed_id="sample",
        url=f"https://publisher-{number}.example/story?id={number}" if url is None else url,
        title=title,
        text="",
        language=language,
        publisher=publisher or f"Publisher {number} & <Co>",
        published_at=at,
        gathered_at=at + timedelta(minutes=5),
        topics=("world",),
    )


def _point(article: Article, text: str, **changes: Any) -> StoryPoint:  # noqa: ANN401 - any field
    return replace(StoryPoint(text, Role.POINT, article, 0, len(text)), **changes)


def _caveat(article: Article, text: str, kind: CaveatKind | None, **changes: Any) -> StoryPoint:  # noqa: ANN401 - as above
    return _point(article, text, role=Role.CAVEAT, kind=kind, **changes)


def _story(points: Sequence[StoryPoint], *articles: Article) -> Story:
    told = articles or tuple(dict.fromkeys(point.article for point in points))
    return Story(told[0].id, told, tuple(replace(point, rank=rank) for rank, point in enumerate(points)))


def _lead() -> Story:
    """Return a story of three articles with caveats of each kind and grade."""
    one, two, three = (_article(number, f"The dam gives way, account {number}") for number in (10, 11, 12))
    text = "The toll rises to 58 after the second dam gives way, <i>officials</i> say."
    points = (
        _caveat(two, "No official has confirmed the headline's figure.", CaveatKind.UNCONFIRMED),
        _point(one, text, earlier=(EarlierFigure("at least 41", three, "At least 41 people died."),)),
        _caveat(one, "The figure does not count those who are missing.", CaveatKind.LIMITED, qualifies=1),
        _caveat(three, "The operator denies that the dam was old.", CaveatKind.DENIED, qualifies=1),
        _point(two, "he promised help to everyone in the valley.", hint="Governor <Imre>", is_cut=True),
        _caveat(two, "Help comes only if parliament agrees.", CaveatKind.CONDITIONAL, qualifies=4),
        _point(
            three, "We saw it coming for years", introduction="An engineer was asked about it:", quoted=True
        ),
        _caveat(three, "Other engineers dispute that.", CaveatKind.DISPUTED, qualifies=6),
        _caveat(one, "The valley has had floods before.", None, grade=Grade.CONTEXT),
        _caveat(one, "Much of this may still change.", None, grade=Grade.STORY),
    )
    lead = _story(points, one, two, three)
    return replace(lead, placement=Placement.LEAD, section="", judges=("model-1 at judge.example",))


def _update() -> Story:
    article = _article(20, "Inquiry hears <new> witnesses")
    story = _story(
        [_point(article, "Two more witnesses were heard."), _point(article, "A third did not come.")]
    )
    first = SentIssue("samplefirst", SAMPLE_AT - timedelta(days=1))
    return replace(story, is_update=True, first_issue=first, section="world")


def _plain_story(number: int, language: str, title: str, lines: tuple[str, str]) -> Story:
    article = _article(30 + number, title, language=language)
    return replace(
        _story([_point(article, lines[0]), _caveat(article, lines[1], None, qualifies=0)]), section="world"
    )


def _line(number: int, title: str) -> Story:
    url = HOSTILE_URLS[number] if number < len(HOSTILE_URLS) else None
    article = _article(40 + number, title, url=url)
    caveat = _caveat(article, f"Nobody confirmed report {number} of the day.", CaveatKind.UNCONFIRMED)
    return replace(
        _story([caveat], article), placement=Placement.SHORT, section="science" if number % 2 else "world"
    )


def _correction() -> Correction:
    article = _article(60, "The harbour & its <rules>")
    edit = Edit("sample-edit", article.title, "The damage is 81 million.", SAMPLE_AT - timedelta(hours=3))
    changes = (
        SentenceChange(
            Excerpt("The damage is 18 million.", 0, 25), Excerpt(edit.text, 0, len(edit.text), edit.key)
        ),
        SentenceChange(Excerpt("The cause is known.", 0, 19), None),
    )
    return Correction(article, edit, changes)
