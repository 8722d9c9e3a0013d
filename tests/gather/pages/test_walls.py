"""Walls: pages that ask for a subscription, for consent or for a browser, and articles about such pages."""

from __future__ import annotations

import pytest

from service.gather.cleaning.markup import read_markup
from service.gather.pages.walls import WithoutWalls, length_of, without_walls
from tests.gather.feeds import a_text


def found_in(*paragraphs: str, closed: bool = False) -> WithoutWalls:
    return without_walls(read_markup("".join(f"<p>{text}</p>" for text in paragraphs)), closed=closed)


@pytest.mark.parametrize(
    "paragraphs",
    [
        ("The council votes tonight. Already a subscriber? Log in to continue reading.",),
        (a_text(times=1), "You have reached your limit of free articles.", "Subscribe for 3 crowns a month."),
        (a_text(times=1), "This article is only available to our subscribers."),
        (a_text(), "Subscribe now to read this story."),
        ("Der Stadtrat stimmt ab. Jetzt weiterlesen mit Plus. Nur für Abonnenten.",),
        ("Der Hafenrat stimmt heute ab.", "Sie haben bereits ein Abo? Hier anmelden."),
        ("La mairie vote ce soir. Cet article est réservé aux abonnés.",),
        ("Le port ferme.", "Il vous reste 82 % de cet article à lire. La suite est réservée aux abonnés."),
        ("El puerto cierra.", "Para seguir leyendo, suscríbete por 1 euro.", "¿Ya eres suscriptor?"),
        ("Il ponte riapre.", "Questo contenuto è riservato agli abbonati.", "Abbonati per 1 euro al mese"),
        ("A ponte reabre.", "Este conteúdo é exclusivo para assinantes.", "Já é assinante? Faça login"),
        ("De brug gaat open.", "Dit artikel is alleen voor abonnees.", "Al abonnee? Log in"),
        ("Port zamówił promy.", "Ten artykuł jest dostępny tylko dla prenumeratorów.", "Masz już konto?"),
        ("Порт заказал паромы.", "Этот материал доступен только нашим подписчикам.", "Уже есть подписка?"),
        ("أغلق الميناء.", "هذا المقال للمشتركين فقط", "لمتابعة القراءة سجل الدخول"),
        ("港は規則を承認した。", "この記事は有料会員限定です。", "会員の方はログインしてください"),
        ("港口关闭。", "订阅后可阅读全文", "已是会员?登录"),
        ("항구가 문을 닫는다.", "계속 읽으려면 로그인하세요", "이미 구독 중이신가요?"),
        ("We and our 812 partners store and/or access information.", "Manage preferences", "Accept all"),
        ("Wir und unsere 240 Partner verwenden Cookies für unsere Inhalte.", "Alle akzeptieren"),
        ("Nous et nos 700 partenaires utilisons des cookies.", "Tout accepter"),
        ("Мы используем файлы cookie.", "Принять все"),
        ("Please enable JavaScript. Checking your browser before you go on.",),
        ("Please complete the captcha to prove that you are not a robot.",),
        ("Bitte aktivieren Sie JavaScript in Ihrem Browser.",),
        ("Verificando que eres humano. Esto puede tardar unos segundos.",),
    ],
)
def test_walls_are_recognized_in_several_languages(paragraphs: tuple[str, ...]):
    assert found_in(*paragraphs).is_wall


@pytest.mark.parametrize(
    "paragraphs",
    [
        ("The paper has more subscribers than ever, its editor said on Monday.",),
        ("Readers will have to subscribe to continue reading after three articles, the editor said.",),
        ("The button to accept all cookies was green.", "It had changed its cookie policy in June."),
        ("The law lets people refuse cookies. " + "The commission said that it would take years. " * 40,),
        (a_text("Ostrava", 9) + " Subscribe now and never miss a story.",),
        ("Leser müssen ein Abo abschließen, um weiterzulesen, sagte der Chefredakteur Jon Tveit am Montag.",),
        ("Les lecteurs devront s'abonner pour lire la suite, a écrit le directeur.", "Le site reste ouvert."),
        ("El botón de aceptar todas las cookies era verde y grande, dice la resolución del regulador.",),
        ("Gli utenti dovevano dimostrare di non essere un robot, dice la sentenza del tribunale.",),
        ("«Suscríbete para seguir leyendo» aparecerá tras tres lecturas al mes, escribió el director.",),
        ("„Jetzt weiterlesen“ steht auf dem Knopf, den der Verlag am Montag abgeschaltet hat.",),
        (
            "「続きを読むには会員登録が必要です」という表示は来月から消えると編集長は月曜日に記者団に説明した。",
        ),
        ("Visitors had been told to enable JavaScript for a tide table, an engineer of the town said.",),
    ],
)
def test_articles_about_subscriptions_or_cookies_are_no_walls(paragraphs: tuple[str, ...]):
    found = found_in(*paragraphs)

    assert not found.is_wall
    assert found.text.text.split() == " ".join(paragraphs).split()


def test_a_banner_beside_an_article_is_removed_and_the_article_is_read():
    article = a_text("Ostrava", 2)
    found = found_in("We use cookies. You can change your mind at any time.", article, "Subscribe today")

    assert not found.is_wall
    assert found.text.text == " ".join(article.split())


def test_what_is_left_before_a_pay_wall_must_be_an_article():
    wall = "To continue reading, subscribe for 3 crowns."

    assert found_in(a_text("Ostrava", 4), wall).is_wall
    assert not found_in(*(a_text(f"Ward {n}", 1) for n in range(5)), wall).is_wall
    assert not found_in(*(a_text(f"Ward {n}", 1) for n in range(9)), wall).is_wall
    assert found_in(a_text("Ostrava", 3), closed=True).is_wall
    assert not found_in(a_text("Ostrava", 9), closed=True).is_wall


@pytest.mark.parametrize(
    "line",
    [
        "Abonnez-vous pour soutenir une presse libre.",
        "Connectez-vous pour commenter cet article.",
        "Inscrivez-vous pour recevoir notre lettre.",
        "Suscríbete para recibir el boletín.",
        "Accedi per commentare.",
        "Faça login para comentar.",
        "Log in om te reageren.",
        "Logga in för att kommentera.",
        "Zaloguj się, aby skomentować.",
        "Войдите, чтобы оставить комментарий.",
    ],
)
def test_a_line_that_asks_for_support_or_comments_is_no_pay_wall(line: str):
    assert not found_in(a_text("Ostrava", 1), line, "Ilse Marrow writes about the harbour.").is_wall


def test_what_a_pay_wall_at_the_end_offers_belongs_to_it():
    offer = "Try it for 1 crown in the first month, and read every article and every puzzle of the paper."
    walls = (f"This article is only for our subscribers. {offer}", f"Already a subscriber? {offer}")

    assert found_in("The council votes tonight.", *walls).is_wall
    assert (
        found_in("The council votes tonight.", *walls, "Log in")
        .text.text.split("\n\n")[0]
        .endswith("tonight.")
    )
    assert not found_in("The council votes tonight.", *walls, a_text("Ostrava", 2)).is_wall


def test_a_credit_after_the_last_sentence_does_not_make_a_text_incomplete():
    wall = "This article is only available to our subscribers."
    rest = "The council of Tarn has opened its doors to every visitor who asks."

    assert not found_in(a_text("Ostrava", 2), wall, rest, "(With Lorva Press)").is_wall
    assert found_in(a_text("Ostrava", 2), wall, "The council of Tarn has opened its doors to").is_wall


def test_a_character_of_a_dense_script_counts_as_two():
    assert length_of("港は規則を承認した。") == 19
    assert length_of("Wał i śnieg") == 11
