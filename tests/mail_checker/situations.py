"""Situations: generated news, readers and settings, composed over two days into finished messages.

Everything follows from the number of the situation: the same number gives the same message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from typing_extensions import override

from service.compose.ports import EditedArticle, PictureSource, SourceHealthReader
from service.compose.render.check.sample import HOSTILE_HEADLINES, HOSTILE_URLS
from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, compose
from service.compose.stories.merging.merge import merge_key_points
from service.core import ids
from service.core.archive_links import NONE, PUBLIC, SIGNED, issue_links
from service.core.model import (
    Article,
    CaveatKind,
    CondensedArticle,
    Delivery,
    Digest,
    Edit,
    Grade,
    Issue,
    KeyPoint,
    Newsletter,
    Picture,
    Role,
    Site,
    SourceHealth,
    Summary,
)
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.settings.packaged_files import templates_folder
from service.subscribers.links import subscriber_links
from tests.builders import a_newsletter, an_article, an_edition
from tests.compose.fakes import Member, MemoryStore
from tests.pictures import a_picture

SITUATIONS = 300
SEVEN = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
"""The second day, seven o'clock in Berlin."""

KEY = b"a key for tests, which signs the links"
MAX_STORIES = 80
SITES = (
    Site(
        "The Morning Caveat",
        "https://news.example.org",
        "The Morning Caveat <digest@news.example.org>",
        "1 Example Street, Exampleton",
        "unsubscribe@news.example.org",
    ),
    Site(
        "Nachrichten & „Mehr“ <Ö>",
        "https://xn--nachrichten-beispiel.example",
        '"Ö & Co" <post@example.org>',
        "Nachrichten & „Mehr“ <Ö>, Straße 1, Köln",
        "",
    ),
    Site(
        "أخبار الصباح",
        "https://news.example.org/caveat",
        "digest@news.example.org",
        "١ شارع المثال",
        "u@example.org",
    ),
)
NAMES = (
    "Amina",
    "",
    "أمينة",
    '"Bobby" <b>Tables</b>; DROP',
    "\u202eanimA\r\nBcc: x@example.org",
    "N" * 400,
    "🚒",
    "{{ 7*7 }}",
)
TITLES = ("The Morning Caveat", "Täglich & <neu>", "نشرة الصباح", "朝のニュース", "T" * 180)
LANGUAGES = ("en", "de", "ar", "he", "ja", "hi", "fa", "zh", "fr", "ru", "en", "en")
STORY_LANGUAGES = ("en", "en", "en", "de", "ar", "he", "fa", "ja", "hi", "zh")
WORDS = {
    "en": "harbour mayor strike river council engine doctor harvest bridge budget train winter island school",
    "de": "Hafen Bürgermeisterin Streik Fluss Stadtrat Motor Ärztin Ernte Brücke Etat Zug Insel Schule",
    "ar": "الميناء العمدة الإضراب النهر المجلس المحرك الطبيب الحصاد الجسر الميزانية القطار الجزيرة المدرسة",
    "he": "נמל ראש העיר שביתה נהר מועצה מנוע רופאה קציר גשר תקציב רכבת חורף אי בית ספר",
    "fa": "بندر شهردار اعتصاب رودخانه شورا موتور پزشک برداشت پل بودجه قطار زمستان جزیره مدرسه",
    "ja": "港 市長 ストライキ 川 議会 エンジン 医師 収穫 橋 予算 列車 冬 島 学校",
    "hi": "बंदरगाह महापौर हड़ताल नदी परिषद इंजन डॉक्टर फसल पुल बजट रेलगाड़ी सर्दी द्वीप विद्यालय",
    "zh": "港口 市长 罢工 河流 议会 发动机 医生 收成 桥梁 预算 列车 冬天 岛屿 学校",
}
KINDS: tuple[CaveatKind | None, ...] = (*CaveatKind, None)

Option = TypeVar("Option")


@dataclass(frozen=True)
class Situation:
    """A finished message, and what it was made from. `digest` is that of the issue."""

    number: int
    settings: str
    site: Site
    digest: Digest
    content: bytes


@dataclass(frozen=True)
class Choices:
    """Choices that depend on the number of the situation and a name alone."""

    number: int

    def of(self, name: object, options: Sequence[Option]) -> Option:
        return options[self.below(name, len(options))]

    def below(self, name: object, end: int) -> int:
        return int.from_bytes(sha256(f"{self.number} {name}".encode()).digest()[:4]) % end

    def rarely(self, name: object, one_in: int) -> bool:
        return self.below(name, one_in) == 0


class OnePicture(PictureSource):
    """Every picture is the same."""

    @override
    async def picture(self, url: str) -> Picture | None:
        return a_picture()


@dataclass(frozen=True)
class UnhealthySources(SourceHealthReader):
    """Some sources that deliver nothing, one with a name like markup."""

    count: int

    @override
    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        names = ("Silent Wire", "<b>Quiet & Co</b>", "وكالة صامتة", "S" * 300, "No News", "Nothing", "Nil")
        return [
            SourceHealth(
                name, ("world",), is_healthy=False, last_healthy_at=at - timedelta(days=4) if n % 2 else None
            )
            for n, name in enumerate(names[: self.count])
        ]


async def situation(number: int) -> Situation:
    """Return the message of the second day, after an issue on the first."""
    choices = Choices(number)
    newsletter = _newsletter(choices)
    site = choices.of("site", SITES)
    member = Member("amina", _edition(choices, newsletter), SEVEN - timedelta(days=1))
    store = MemoryStore([member])
    composer = Composer(
        store,
        JinjaRenderer(templates_folder(), site),
        merge_key_points,
        {newsletter.id: newsletter},
        settle=timedelta(minutes=10),
        channel="smtp",
        source_health=UnhealthySources(choices.below("unhealthy", 8)),
        subscribe_urls={newsletter.id: f"{site.url}/subscribe/morning"}
        if choices.rarely("sign-up", 2)
        else {},
        pictures=OnePicture(),
    )
    stories = choices.below("stories", MAX_STORIES + 1)
    store.publish(*(told for n in range(0, stories, 4) for told in _event(choices, n, day=1)))
    await compose(composer, now=SEVEN - timedelta(days=1))
    store.edits = _edits(choices, member.issues)
    member.next_due_at = SEVEN
    store.publish(*(told for n in range(stories) for told in _event(choices, n, day=2)))
    report = await compose(composer, now=SEVEN)
    assert not report.problems, report.problems
    issue = member.issues[-1]
    assert issue.digest is not None
    settings = f"{stories} stories, {newsletter.theme}, archive {newsletter.archive}, {member.edition}"
    return Situation(number, settings, site, issue.digest, _message(choices, issue, newsletter, site))


def _newsletter(choices: Choices) -> Newsletter:
    themes = JinjaRenderer(templates_folder(), SITES[0]).themes()
    return a_newsletter(
        title=choices.of("title", TITLES),
        theme=choices.of("theme", themes),
        archive=choices.of("archive", (PUBLIC, SIGNED, NONE)),
        empty="send",
        show_source_health=choices.rarely("show unhealthy", 2),
        lead_picture=choices.rarely("picture", 3),
        topics=(),
    )


def _edition(choices: Choices, newsletter: Newsletter):
    return an_edition(
        newsletter.id,
        topics=(),
        stories=choices.of("most stories", (1, 3, 8, 8, 15, 50)),
        points=choices.of("points", (1, 2, 4, 4, 8, 12)),
        language=choices.of("language", LANGUAGES),
        format=choices.of("format", ("html", "html", "html", "html", "text")),
        minutes=choices.of("minutes", (None, None, 1, 3, 10, 60)),
        timezone=choices.of("zone", ("Europe/Berlin", "Asia/Qatar", "Asia/Tokyo", "UTC")),
        follow=choices.of("follow", ((), (), ("harbour",))),
    )


def _event(choices: Choices, number: int, *, day: int) -> list[CondensedArticle]:
    """Return what publishers told of one event on a day; on the second day, told again by some."""
    if day == 2 and number % 4 == 0 and not choices.rarely((number, "again"), 2):
        return []
    tellers = choices.of((number, day, "tellers"), (1, 1, 1, 2, 3, 6))
    return [_told(choices, number, day, teller) for teller in range(tellers)]


def _told(choices: Choices, number: int, day: int, teller: int) -> CondensedArticle:
    language = choices.of((number, "language"), STORY_LANGUAGES)
    sentences = [_sentence(choices, language, (number, day, line)) for line in range(6)]
    if day == 2:
        sentences[0] = _sentence(choices, language, (number, 1, 0))
    hostile = choices.rarely((number, "hostile"), 3)
    title = (
        choices.of((number, "headline"), HOSTILE_HEADLINES)
        if hostile
        else sentences[0].rstrip(".。") + f" {number}"
    )
    address = f"https://publisher-{teller}.example/{number}/{day}"
    url = (
        choices.of((number, teller, "url"), HOSTILE_URLS)
        if choices.rarely((number, "bad url"), 5)
        else address
    )
    at = SEVEN - timedelta(hours=30 if day == 1 else 3, minutes=number + teller)
    article = an_article(
        title,
        " ".join(sentences),
        id=ids.article_id("feed", f"{number}-{day}-{teller}", "", ""),
        url=url,
        language=language,
        publisher=choices.of(
            (teller, "publisher"), ("The Wire", "<i>Mail & Co</i>", "صحيفة", "P" * 90, "Zeitung")
        ),
        published_at=None if choices.rarely((number, day, "date"), 9) else at,
        gathered_at=at,
        picture="" if choices.rarely((number, "without picture"), 4) else f"{address}.jpg",
        topics=(choices.of((number, "topic"), ("world", "business", "science", "sport")),),
    )
    return CondensedArticle(
        article, Summary("keypoints", _key_points(choices, article, sentences, (number, day)))
    )


def _sentence(choices: Choices, language: str, name: object) -> str:
    words = WORDS[language].split()
    drawn = sha256(f"{choices.number} {name}".encode()).digest()
    chosen = [words[byte % len(words)] for byte in drawn[: 6 + drawn[-1] % 14]]
    joint, end = ("", "。") if language in ("ja", "zh") else (" ", ".")
    return f"{joint.join(chosen)} {int.from_bytes(drawn[-4:-1]) % 9000 + 10}{end}".capitalize()


def _key_points(
    choices: Choices, article: Article, sentences: list[str], name: object
) -> tuple[KeyPoint, ...]:
    """Return a caveat of the headline or none, points, a caveat of a point, and one of the story or none."""
    places: list[tuple[int, Role, int | None, Grade]] = []
    if choices.rarely((name, "headline's caveat"), 4):
        places.append((1, Role.CAVEAT, None, Grade.TIED))
    places += [(2, Role.POINT, None, Grade.TIED), (3, Role.CAVEAT, len(places), Grade.TIED)]
    places.append((4, Role.POINT, None, Grade.TIED))
    if choices.rarely((name, "story's caveat"), 4):
        places.append((5, Role.CAVEAT, None, Grade.STORY))
    points = []
    for rank, (line, role, owner, grade) in enumerate(places):
        start = article.text.index(sentences[line])
        kind = choices.of((name, rank, "kind"), KINDS) if role is Role.CAVEAT else None
        point = KeyPoint.from_source(
            article.text, start, start + len(sentences[line]), role, owner, rank=rank
        )
        points.append(replace(point, grade=grade, kind=kind))
    return tuple(points)


def _edits(choices: Choices, issues: Sequence[Issue]) -> list[EditedArticle]:
    """Return edits of some articles of the first issue: a sentence with another figure."""
    if not issues or issues[-1].digest is None or not choices.rarely("edits", 2):
        return []
    edits = []
    for story in issues[-1].digest.stories[:3]:
        for point in story.points[:1]:
            article = point.article
            text = article.text.replace(point.text, f"{point.text[:-1]} 77{point.text[-1]}")
            edit = Edit(
                ids.edit_key(article.id, article.title, text), article.title, text, SEVEN - timedelta(hours=5)
            )
            summary = Summary("keypoints", (KeyPoint.from_source(article.text, point.start, point.end),))
            edits.append(EditedArticle(article, summary, edit, (issues[-1].rendered.text,)))
    return edits


def _message(choices: Choices, issue: Issue, newsletter: Newsletter, site: Site) -> bytes:
    def links(subscriber_id: str, of_newsletter: str) -> MailLinks:
        theirs = subscriber_links(KEY, site.url, subscriber_id, of_newsletter)
        return MailLinks(theirs.unsubscribe, theirs.preferences, theirs.token)

    build = MessageBuilder(
        site, links, issue_links=lambda issue_id, _: issue_links(KEY, site.url, issue_id, newsletter.archive)
    )
    address = choices.of(
        "address", ("amina@example.org", "amina+news@bücher.example", "o'neil&co@example.org")
    )
    person = ids.subscriber_id(address)
    delivery = Delivery(
        ids.delivery_id(issue.id, person, "smtp"),
        issue.id,
        person,
        "smtp",
        address,
        choices.of("name", NAMES),
        SEVEN,
    )
    return build(issue, delivery).content
