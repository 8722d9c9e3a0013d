"""Digests for tests: stories in several languages, short and long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.core import ids
from service.core.model import (
    Article,
    CaveatKind,
    Correction,
    Digest,
    Edit,
    Excerpt,
    Grade,
    Placement,
    Role,
    SentenceChange,
    Site,
    SourceHealth,
    Story,
    StoryPoint,
)
from tests.builders import an_article, an_edition

MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
"""A Tuesday, seven o'clock in Berlin."""

SITE = Site(
    name="The Morning Caveat",
    url="https://news.example.org",
    sender="The Morning Caveat <digest@news.example.org>",
    postal_address="The Morning Caveat, 1 Example Street, Exampleton",
    unsubscribe_address="unsubscribe@news.example.org",
)


def published(title: str, publisher: str = "The Meridian Courier", **changes: Any) -> Article:
    """Return an article with an address made of its publisher and title."""
    words = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    host = "".join(c for c in publisher.lower() if c.isascii() and c.isalnum()) or f"p{len(publisher)}"
    when = changes.pop("at", MORNING - timedelta(hours=2))
    url = changes.pop("url", f"https://{host}.example/2026/{words.strip('-')[:60] or 'news'}")
    defaults = {"publisher": publisher, "published_at": when, "gathered_at": when + timedelta(minutes=9)}
    return an_article(title, url=url, **(defaults | changes))


def point(article: Article, text: str) -> StoryPoint:
    """Return a key point of the article."""
    return StoryPoint(text, Role.POINT, article, 0, len(text))


def caveat(article: Article, text: str) -> StoryPoint:
    """Return a caveat to the point before it."""
    return StoryPoint(text, Role.CAVEAT, article, 0, len(text), qualifies=0)


def caveat_of_headline(article: Article, text: str) -> StoryPoint:
    return StoryPoint(text, Role.CAVEAT, article, 0, len(text))


def introduced(introduction: str, point: StoryPoint, *, quoted: bool = False) -> StoryPoint:
    """Return the point with what is shown before it."""
    return replace(point, introduction=introduction, quoted=quoted)


def a_story(points: Iterable[StoryPoint], *articles: Article) -> Story:
    """Return a story of these points, each caveat linked to the point before it; the first to the headline.

    Its articles are those named, else those of its points.
    """
    tied: list[StoryPoint] = []
    owner: int | None = None
    for index, one in enumerate(points):
        if one.role is Role.POINT:
            owner = index
        is_tied = one.role is Role.CAVEAT and one.grade is Grade.TIED
        tied.append(replace(one, rank=index, qualifies=owner if is_tied else None))
    told = articles or tuple(dict.fromkeys(one.article for one in tied))
    return Story(ids.story_id([article.id for article in told]), told, tuple(tied))


def a_digest(*stories: Story, left_out: int = 0, at: datetime = MORNING, **wishes: Any) -> Digest:
    """Return a digest of these stories; the first one leads unless it has a place of its own."""
    is_led = bool(stories) and stories[0].placement is Placement.STORY
    placed = (replace(stories[0], placement=Placement.LEAD), *stories[1:]) if is_led else stories
    return Digest(an_edition(**wishes), at, placed, left_out)


def in_short(*stories: Story, on_web: bool = False) -> tuple[Story, ...]:
    """Return the stories as lines of a mail, or only of its web page, without their points."""
    place = Placement.WEB if on_web else Placement.SHORT
    return tuple(
        replace(story, placement=place, points=tuple(p for p in story.points if p.is_of_headline))
        for story in stories
    )


# --- stories -----------------------------------------------------------------------------------


def the_fire() -> Story:
    courier = published(
        "Fire destroys grain silo at Skarrow port and halts exports for days", at=MORNING - timedelta(hours=1)
    )
    wire = published(
        "Blaze at Skarrow terminal leaves grain ships stranded",
        "Northwater Wire",
        at=MORNING - timedelta(hours=3),
    )
    herald = published(
        "Skarrow silo fire: what we know", "The Oltmark Herald", at=MORNING - timedelta(hours=11)
    )
    return a_story(
        [
            point(
                courier,
                "A dust explosion tore the roof off silo 6 shortly before half past three and set the "
                "grain on fire.",
            ),
            point(
                wire,
                "Insurers estimate the damage at 18 million marks, the Harbour Mutual said.",
            ),
            caveat(wire, "The figure is preliminary and does not count the ships that cannot load."),
            point(herald, "Skarrow handles about a fifth of the wheat that the region sells abroad."),
        ],
        courier,
        wire,
        herald,
    )


def the_harbour_rules() -> Story:
    """Return a story of a list, a quotation without marks and an answer, each with its introduction."""
    article = published("Harbour board bans night work at Skarrow quay")
    decided = "The harbour board took three decisions on Tuesday:"
    return a_story(
        [
            caveat_of_headline(article, "The ban does not apply during storms, the board said."),
            introduced(
                decided, point(article, "A ferry line to Ostrel for 240 passengers will start in May")
            ),
            introduced(decided, point(article, "The fee for cruise ships rises from 4 to 6 crowns a head")),
            caveat(article, "The council must approve the fee before it can take effect."),
            introduced(
                "Lena Holm of the crews' union wrote to the board:",
                point(article, "Nobody asked us. We will not load a ship after ten."),
                quoted=True,
            ),
            introduced(
                "Will the cargo route close?", point(article, "No. It stays until 2031, by contract.")
            ),
        ]
    )


def graded(one: StoryPoint, grade: Grade, kind: CaveatKind | None = None, *, hint: str = "") -> StoryPoint:
    """Return the point as a caveat of this grade and kind, or a point with a hint as it is."""
    return replace(one, role=Role.CAVEAT, grade=grade, kind=kind, hint=hint)


def the_ballot() -> Story:
    """Return a story with a caveat of each grade and kind, and with hints."""
    article = published("Mayor of Ostrel accused of buying votes in harbour district")

    def line(text: str, grade: Grade, kind: CaveatKind | None = None, *, hint: str = "") -> StoryPoint:
        return graded(caveat(article, text), grade, kind, hint=hint)

    return a_story(
        [
            point(article, "Two printers told the court that mayor Lena Holm paid for 4,000 forged ballots."),
            line("She denies the payments.", Grade.TIED, CaveatKind.DENIED, hint="Lena Holm"),
            line("No copy of the invoices has been seen.", Grade.TIED, CaveatKind.UNCONFIRMED),
            point(article, "The vote in the harbour district is to be repeated on 12 April."),
            line("The date holds if the council agrees.", Grade.TIED, CaveatKind.CONDITIONAL),
            line("Only two of the nine polling stations are affected.", Grade.TIED, CaveatKind.LIMITED),
            line("The count in the other districts is not in doubt, the court said.", Grade.CONTEXT),
            replace(point(article, "He wants to stand again."), hint="Mirko Ahl"),
            line("The opposition calls the court partial.", Grade.STORY, CaveatKind.DISPUTED),
            line("The hearing goes on until May, so that nothing is settled.", Grade.STORY),
        ]
    )


def the_ballot_in_arabic() -> Story:
    """Return a story like `the_ballot` in Arabic."""
    article = published(
        "اتهام عمدة المرفأ بشراء الأصوات", "صحيفة المرفأ", language="ar", url="https://marfa.example/2026/9"
    )

    def line(text: str, grade: Grade, kind: CaveatKind | None = None, *, hint: str = "") -> StoryPoint:
        return graded(caveat(article, text), grade, kind, hint=hint)

    return a_story(
        [
            point(article, "قال صاحب مطبعة أمام المحكمة إن العمدة سلمى الحداد دفعت ثمن 4000 بطاقة مزورة."),
            line("نفت ذلك في بيان عبر منصة X.", Grade.TIED, CaveatKind.DENIED, hint="سلمى الحداد"),
            point(article, "يعاد التصويت في حي المرفأ في 12 نيسان أبريل."),
            line("يشترط ذلك موافقة المجلس.", Grade.TIED, CaveatKind.CONDITIONAL),
            line("لا شك في نتائج الأحياء الأخرى.", Grade.CONTEXT),
            line("تقول شركة Northwater إن المحكمة منحازة.", Grade.STORY, CaveatKind.DISPUTED),
        ]
    )


def the_decisions_in_arabic() -> Story:
    article = published(
        "مجلس الميناء يحظر العمل الليلي", "صحيفة المرفأ", language="ar", url="https://marfa.example/2026/1"
    )
    return a_story(
        [
            caveat_of_headline(article, "لا يسري الحظر أثناء العواصف."),
            introduced("اتخذ المجلس قرارين:", point(article, "يبدأ خط العبّارات في أيار مايو")),
            introduced("وكتبت النقابة:", point(article, "لم يسألنا أحد."), quoted=True),
        ]
    )


def the_treaty() -> Story:
    article = published("Kessary and Oltmark agree to share the Velle after eleven years of talks")
    return a_story(
        [
            point(
                article,
                "Under the treaty Kessary may take 60 per cent of the river's summer flow, Oltmark 40.",
            ),
            caveat(
                article,
                "The treaty takes effect only if both parliaments approve it before the end of March, and in "
                "Kessary the government is three votes short of a majority.",
            ),
            point(
                article,
                "The border crossing at Tarn Bridge, closed since 2015, is to reopen to lorries in spring.",
            ),
            caveat(
                article,
                "The agreement in no way settles who owns the islands below the dam.",
            ),
        ]
    )


def the_strike() -> Story:
    article = published(
        "Lokführer in Westmark beenden ihren Streik nach neun Tagen",
        "Westmärkische Zeitung",
        language="de",
        at=MORNING - timedelta(hours=9),
    )
    return a_story(
        [
            point(article, "Die Züge sollen ab Mittwoch, vier Uhr, wieder nach Fahrplan rollen."),
            point(article, "Die Löhne steigen in zwei Schritten um zusammen 7,4 Prozent."),
            caveat(
                article,
                "Der Abschluss gilt nur, wenn ihm die Mitglieder bis zum 20. März zustimmen.",
            ),
        ]
    )


def the_well() -> Story:
    article = published(
        "اكتشاف بئر مياه عذبة عند أطراف مدينة صحار",
        "صحيفة الواحة",
        language="ar",
        at=MORNING - timedelta(hours=4),
    )
    return a_story(
        [
            point(article, "أعلنت الهيئة أن البئر الجديدة تكفي حاجة 40 ألف نسمة من مياه الشرب."),
            caveat(article, "غير أن نتائج الفحص المخبري لم تصدر بعد، وقد تستغرق ثلاثة أسابيع."),
            point(article, "يبدأ مد الأنابيب إلى الأحياء الشرقية في شهر أبريل."),
        ]
    )


def the_telescope() -> Story:
    article = published(
        "高原天文台公布首批星系图像，望远镜比预期提前两年投入使用",
        "远山日报",
        language="zh",
        at=MORNING - timedelta(hours=20),
    )
    return a_story(
        [
            point(article, "新望远镜在试运行的第一个月里拍摄了两千多个遥远的星系。"),
            caveat(article, "研究团队强调，这些数据尚未经过同行评审，不能据此断定星系的年龄。"),
        ]
    )


def the_inquiry() -> Story:
    article = published(
        "Inquiry into the collapse of the Fenwick & Sons pension fund hears that three regulators, two "
        "ministers and an auditor had each been warned in writing, and that each had assumed one of the "
        "others would act on it",
        "The Parliamentary Record of Castelbrae",
        at=MORNING - timedelta(days=1, hours=3),
    )
    points = [
        point(article, "“I took it that someone would ring me,” the former minister told the inquiry."),
        point(
            article,
            "Some 11,400 pensioners have lost up to a third of what they were promised, the fund's "
            "administrator said, and the last of them will not know how much until the sale of the fund's "
            "three office blocks in Oltmark, which has been put off twice, is complete.",
        ),
    ]
    return replace(a_story(points), is_update=True)


def the_marathon() -> Story:
    article = published("Baker wins marathon", "Ruddock Lake Gazette", at=MORNING - timedelta(hours=15))
    return a_story([point(article, "She ran it in 2:31:07.")])


def the_spray() -> Story:
    article = published(
        "Nasal spray shortens flu by two days in trial of 2,300 people", at=MORNING - timedelta(hours=6)
    )
    return a_story(
        [
            point(
                article,
                "Patients who began to use it within a day of their first symptoms were well after four days "
                "instead of six.",
            ),
            caveat(
                article, "The trial in no way shows that the spray prevents infection, its authors write."
            ),
            caveat(article, "Nobody over 65 took part."),
            point(article, "The maker wants to apply for approval in autumn."),
        ]
    )


def the_front_page(**wishes: Any) -> Digest:
    """Return a morning's eight stories, five more left out."""
    stories = (
        the_fire(),
        the_treaty(),
        the_strike(),
        the_well(),
        the_telescope(),
        the_inquiry(),
        the_marathon(),
        the_spray(),
    )
    return a_digest(*stories, left_out=5, **wishes)


# --- notices -----------------------------------------------------------------------------------


def a_correction(article: Article, *changes: tuple[str, str], hours: float = 3) -> Correction:
    """Return a correction of pairs of sentences, "" for a removed one, seen that many hours ago."""
    now = "\n\n".join(new for _, new in changes)
    edit = Edit(ids.edit_key(article.id, "", now), article.title, now, MORNING - timedelta(hours=hours))
    return Correction(article, edit, tuple(_change(edit, *pair) for pair in changes))


def _change(edit: Edit, sent: str, new: str) -> SentenceChange:
    start = edit.text.index(new)
    now = Excerpt(new, start, start + len(new), edit.key) if new else None
    return SentenceChange(Excerpt(sent, 0, len(sent)), now)


def the_notices(**wishes: Any) -> Digest:
    """Return a short digest with corrections in two languages, and unhealthy sources."""
    fire = published("Fire destroys grain silo at Skarrow port and halts exports for days")
    strike = published("Lokführer beenden ihren Streik", "Westmärkische Zeitung", language="de")
    return replace(
        a_digest(the_marathon(), **wishes),
        corrections=(
            a_correction(
                fire,
                (
                    "Insurers estimate the damage at 18 million marks, the Harbour Mutual said.",
                    "Insurers estimate the damage at 81 million marks, the Harbour Mutual said.",
                ),
                ("The cause of the spark is known.", ""),
            ),
            a_correction(
                strike, ("Die Löhne steigen um 7,4 Prozent.", "Die Löhne steigen um 4,7 Prozent."), hours=20
            ),
        ),
        unhealthy_sources=(
            SourceHealth(
                "Northwater Wire", ("world",), is_healthy=False, last_healthy_at=MORNING - timedelta(days=3)
            ),
            SourceHealth("The Oltmark Herald", ("world",), is_healthy=False, last_healthy_at=None),
        ),
    )
