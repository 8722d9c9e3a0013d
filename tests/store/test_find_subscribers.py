"""Search of subscribers: any part of address or name, filters, pages, and nothing of erased people."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.app.transactional_mail import transactional_issue
from service.core.model import MailKind, RenderedMail, SignUpRequest, SubscriptionStatus
from service.core.subscriber_search.listing import SubscriberFilter
from service.store import find_subscribers
from service.store.database import Database
from service.store.find_subscribers import SubscriberFinder
from service.store.transactional import SqlSignUpStore
from service.subscribers import actions
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, Stores, a_desired_subscription

PEOPLE = {
    "amina.haddad@courier.example": "Amina Haddad",
    "ben_100%@ledger.example": "Ben O'Brien",
    "zoe@quartz.example": "Zoë Łuczak",
    "yuki@quartz.example": "山田 ゆき",
    "omar@souq.example": "عمر الفاروق",
    'quote"star*@odd.example': "NEAR OR NOT AND (x)",
}
HOSTILE = (
    *('" OR 1=1 --', "'; DROP TABLE subscribers; --", "a' OR 'a'='a", '"quote', "star*", "NEAR(a b)"),
    *(
        "col:x",
        "^abc",
        "a AND b",
        "NOT zoe",
        "%",
        "%%%",
        "___",
        "\\",
        "\\%",
        "\0",
        "\ud800abc",
        "{}",
        ":below",
    ),
    *("abc\0def", "😀😀😀", "a" * 5_000, "(((((", ")))", "-1", "qua rtz", "\u200b\u200b\u200b"),
)


@pytest.fixture
async def stores(database: Database) -> Stores:
    stores = Stores(database)
    people = [
        a_desired_subscription(subscriber=a_subscriber(email, name=name)) for email, name in PEOPLE.items()
    ]
    evening = a_desired_subscription(
        edition=an_edition("evening"), subscriber=people[0].subscriber, newsletter="evening"
    )
    await stores.subscribers.add_subscriptions([*people, evening], NOON, starts_after=NOON - DAY)
    return stores


async def found(stores: Stores, text: str = "", **conditions: object) -> list[str]:
    """Return the addresses that a search finds, up to their @."""
    page = await SubscriberFinder(stores.database).page(SubscriberFilter(text, **conditions))
    assert not page.is_partial
    return [person.email.partition("@")[0] for person in page.people]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amina", ["amina.haddad"]),
        ("DDAD@cou", ["amina.haddad"]),
        ("quartz.example", ["yuki", "zoe"]),
        ("zoe ł", ["zoe"]),
        ("ZOË", ["zoe"]),
        ("田", ["yuki"]),
        ("田 ゆき", ["yuki"]),
        ("الفاروق", ["omar"]),
        ("o'b", ["ben_100%"]),
        ("_100%", ["ben_100%"]),
        ("q", ['quote"star*', "omar", "yuki", "zoe"]),
        ("near or not and (x)", ['quote"star*']),
        ('"star*', ['quote"star*']),
        ("amina.haddad@courier.example", ["amina.haddad"]),
        ("nobody", []),
    ],
)
async def test_any_part_of_address_or_name_is_found(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, text: str, expected: list[str]
):
    assert await found(stores, text) == expected
    monkeypatch.setattr(find_subscribers, "WALKED", 0)  # now by the index alone
    assert await found(stores, text) == expected


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_term_is_never_read_as_sql_or_as_a_pattern(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, text: str
):
    monkeypatch.setattr(find_subscribers, "WALKED", 0)
    plain = text.replace("\0", " ").strip()
    expected = [e.partition("@")[0] for e, name in PEOPLE.items() if plain and plain in f"{e}\n{name}"]
    names = await found(stores, text)
    assert sorted(names) == sorted(expected or ([] if plain.strip("\u200b") else await found(stores)))
    assert len(await found(stores)) == len(PEOPLE)


async def test_filters_hold_for_one_subscription(stores: Stores):
    amina = a_subscriber("amina.haddad@courier.example").id
    await actions.unsubscribe(stores.subscribers, amina, "morning", NOON)
    await stores.subscribers.suppress("zoe@quartz.example", "complained", NOON)
    active, gone = SubscriptionStatus.ACTIVE, SubscriptionStatus.UNSUBSCRIBED
    assert await found(stores, newsletter="evening") == ["amina.haddad"]
    assert await found(stores, newsletter="evening", status=gone) == []
    assert await found(stores, newsletter="morning", status=gone) == ["amina.haddad"]
    assert await found(stores, status=gone) == ["amina.haddad"]
    assert await found(stores, "haddad", newsletter="evening", status=active) == ["amina.haddad"]
    assert await found(stores, suppressed=True) == ["zoe"]
    assert await found(stores, "amina", suppressed=True) == []
    assert await found(stores, newsletter="' OR 1=1 --") == []


async def test_pages_name_everybody_once(stores: Stores, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find_subscribers, "WALKED", 3)
    monkeypatch.setattr(find_subscribers, "MAX_CANDIDATES", 4)
    finder = SubscriberFinder(stores.database)
    for wanted in (SubscriberFilter(), SubscriberFilter("example"), SubscriberFilter(newsletter="morning")):
        page, seen = await finder.page(wanted, limit=2), []
        while True:
            seen += [person.email for person in page.people]
            if page.next is None:
                break
            page = await finder.page(wanted, after=page.next, limit=2)
        assert seen == list(reversed(PEOPLE))


async def test_a_search_that_stops_early_says_so(stores: Stores, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find_subscribers, "WALKED", 1)
    monkeypatch.setattr(find_subscribers, "MAX_CANDIDATES", 3)
    monkeypatch.setattr(find_subscribers, "MAX_COUNTED", 3)
    finder, wanted = SubscriberFinder(stores.database), SubscriberFilter("mi")
    page = await finder.page(wanted)
    assert page.is_partial
    assert (await finder.count(wanted)).or_more
    later = await finder.page(wanted, after=page.next)
    assert [p.email for p in (*page.people, *later.people)] == ["amina.haddad@courier.example"]


async def test_a_changed_name_is_found_and_the_old_one_is_not(stores: Stores):
    married = a_desired_subscription(
        subscriber=a_subscriber("amina.haddad@courier.example", name="Amina Sørensen")
    )
    await stores.subscribers.add_subscriptions([married], NOON, starts_after=NOON)
    assert await found(stores, "sørensen") == ["amina.haddad"]
    assert await found(stores, "Amina Haddad") == []


async def test_an_erased_person_leaves_no_trace_in_the_index(stores: Stores):
    trigram = "łuc".encode()
    if stores.database.on_sqlite:
        assert trigram in _every_byte(stores)
    assert await stores.subscribers.erase("zoe@quartz.example")
    assert await found(stores, "zoe") == []
    if stores.database.on_sqlite:
        assert trigram not in _every_byte(stores)


def _every_byte(stores: Stores) -> bytes:
    folder = Path(stores.database.name).parent
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_a_sign_up_that_was_never_confirmed_is_removed(stores: Stores):
    stranger = a_subscriber("stranger@far.example", name="A Stranger")
    sign_ups = SqlSignUpStore(stores.database)
    letter = RenderedMail("Please confirm", "", "Please")
    mail = transactional_issue(MailKind.CONFIRMATION, letter, "morning", stranger.id, NOON)
    assert await sign_ups.request([SignUpRequest(stranger, "morning", None, NOON)], mail, "file")
    assert await found(stores, "stranger") == ["stranger"]
    await sign_ups.prune(NOON + 300 * DAY, DAY)
    assert await found(stores, "stranger") == []
