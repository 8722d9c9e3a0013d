"""The subject of a page: its own headline counts, read-more words and the name of the site do not."""

from __future__ import annotations

import pytest

from service.gather.pages.subject import is_same_subject, subject_words


def test_a_page_has_the_same_subject_when_it_has_enough_of_the_words():
    page = "Two ministers will resign. The harbour is in dispute."

    assert is_same_subject("Ministers resign over harbour dispute", "", page)
    assert not is_same_subject("Ministers resign over harbour dispute", "", "Buy one and get one free.")
    assert is_same_subject("Go!", "", "Anything at all.")


@pytest.mark.parametrize(
    ("title", "teaser", "page"),
    [
        (
            "Newsticker: Sturm Olga legt Züge lahm",
            "Verfolgen Sie das Unwetter hier… Weiterlesen",
            "Alle Züge ab Farwick fallen aus. Die Bahn rechnet mit Schäden bis Montag, Olga zieht weiter.",
        ),
        (
            "Ce que changent les règles du marché",
            "Dès mai, tout sera différent… Lire la suite",
            "La mairie a publié lundi de nouvelles règles. Les étals ouvriront plus tôt, sauf le dimanche.",
        ),
        (
            "Mitä uudet satamasäännöt tarkoittavat",
            "Säännöt muuttuvat toukokuussa… Lue lisää",
            "Satama julkaisi tiistaina säännöt, joita kalastajat odottivat kaksi vuotta. Uudet maksut.",
        ),
    ],
)
def test_a_headline_may_have_other_words_than_its_article(title: str, teaser: str, page: str):
    assert is_same_subject(title, teaser, page, [f"{title} | Courier of Farwick – News of the town"])
    assert is_same_subject(title, teaser, page, ["Courier of Farwick", title])
    assert not is_same_subject(title, teaser, page, ["Courier of Farwick"])


@pytest.mark.parametrize(
    ("title", "teaser", "same", "other"),
    [
        (
            "ヴェルマーシュ港、新航路を承認",
            "港務委員会が新しい航路を承認した…続きを読む",
            "ヴェルマーシュ港務委員会は月曜日、島への航路を承認した。漁業組合との協議は二年に及んだ。",
            "市議会は火曜日、図書館の移転について話し合った。新しい建物は来年の春に完成する予定である。",
        ),
        (
            "港口批准新航线",
            "委员会周一批准了通往海岛的航线…阅读全文",
            "港口委员会周一批准了一条通往海岛的新航线,谈判持续了两年。",
            "市议会周二讨论了图书馆的搬迁,新楼将于明年春天建成。",
        ),
        (
            "항만 위원회, 새 항로 승인",
            "위원회가 월요일 항로를 승인했다… 더 보기",
            "항만 위원회는 월요일 섬으로 가는 새 항로를 승인했다.",
            "시의회는 화요일 도서관 이전을 논의했다. 새 건물은 내년 봄에 완공된다.",
        ),
        (
            "ท่าเรืออนุมัติเส้นทางเรือใหม่",
            "คณะกรรมการอนุมัติเส้นทางไปเกาะ… อ่านต่อ",
            "คณะกรรมการท่าเรืออนุมัติเส้นทางเรือใหม่ไปยังเกาะเมื่อวันจันทร์",
            "สภาเมืองหารือเรื่องการย้ายห้องสมุด อาคารหลังใหม่จะเสร็จในปีหน้า",
        ),
        (
            "बंदरगाह ने नए मार्ग को मंज़ूरी दी",
            "समिति ने सोमवार को द्वीप के मार्ग को मंज़ूरी दी… और पढ़ें",
            "बंदरगाह समिति ने सोमवार को द्वीप के लिए नए मार्ग को मंज़ूरी दी।",
            "नगर परिषद ने मंगलवार को पुस्तकालय के स्थानांतरण पर चर्चा की।",
        ),
        (
            "الميناء يوافق على خط جديد",
            "وافق المجلس يوم الاثنين على خط إلى الجزيرة… اقرأ المزيد",
            "وافق مجلس الميناء يوم الاثنين على خط جديد للعبارات إلى الجزيرة.",
            "ناقشت البلدية نقل المكتبة إلى مبنى آخر في الربيع القادم.",
        ),
    ],
)
def test_every_script_is_compared(title: str, teaser: str, same: str, other: str):
    assert is_same_subject(title, teaser, same)
    assert not is_same_subject(title, teaser, other)
    assert not is_same_subject(title, teaser, other, [title])


def test_other_pages_are_not_about_the_article():
    title, teaser = "The Velmar Courier wins a prize", "Its report on the harbour was the best…"
    login = "Log in to your account with your address and password. Forgot your password? Create an account."
    home = "Otters are back in Hollow Brook. The market opens on Sundays. Two metres of snow closed the pass."
    other = (
        "The Courier of Tarn has a new printing press. It was built in Oltmark and cost two million crowns."
    )

    assert not is_same_subject(title, teaser, login, ["The Velmar Courier"])
    assert not is_same_subject(title, teaser, home, ["The Velmar Courier – news of the harbour"])
    assert not is_same_subject(title, teaser, other, ["The Courier of Tarn prints again"])
    assert not is_same_subject(title, teaser, login, [title])


def test_a_short_title_is_a_headline_only_when_it_is_all_of_it():
    title, teaser = "Bridge closed", "Painters found rust beneath the rails yesterday"
    page = "Painters have closed it until spring, the office said, and a ferry carries people."

    assert is_same_subject(title, teaser, page, [title])
    assert not is_same_subject(title, teaser, page, ["Bridge closed? Ask the office of the county"])


def test_words_to_compare_are_long_or_pairs_of_a_dense_script():
    assert set(subject_words("The old Bridge of 1874")) == {"bridge", "1874"}
    assert list(subject_words("新しいフェリー航路")) == ["フェリー", "航路"]
