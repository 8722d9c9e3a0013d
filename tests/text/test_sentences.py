"""Sentence boundaries of news in many languages, exact offsets, linear time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.text.sentences import split_sentences

EXAMPLES = {
    "en": [
        "Mr. Smith went to Washington, D.C.|He met J. K. Rowling at 5 p.m. Monday.|It cost $3.5 million.",
        "The U.S. Supreme Court ruled.|Nothing changed in the U.S.|It's over.|Sen. Ed Cox (D-Calif.) agreed.",
        '"I was sad," she said.|"We lost.|We will be back."|"Why?" John Smith asked.|"Why?"|He did not say.',
        "He waited...|Nobody came.|The plan ... Iran's own ... was read out.|No. 5 won.|See fig. 3.|Yes!",
        "Apple Inc. rose 3 percent.|Foo Corp. fell.|He lives on Main St.",
        "The fee is due in Rm. 12 of the hall.|It came from CNN.|12 people left.",
        "The talks ended.|See node.js and theGrio.com for more.|He left.|[It was late.]",
    ],
    "de": [
        "Der Preis stieg am 3. Oktober um 2,5 Prozent.|Dr. Hans Müller sagte z. B. nichts.|Er kam am 4. Mai.",
        "Das kostet ca. 5 Mio. Euro.|„Wir gehen.“|Er lachte.|Die 1. FC Köln GmbH & Co. KG schweigt.",
    ],
    "fr": [
        "M. Dupont a dit : « Nous partons.|Vraiment ? »|Il est 15 h.|Mme Le Pen, née en 1968, a 3,5 M€.",
        "Il part…|Puis J.-C. Juncker arrive.|« C'est fini. »|L’homme rit.",
    ],
    "es": [
        "El Sr. López llegó a EE. UU. el lunes.|¿Qué pasó?|¡Nada!|La Dra. Pérez (pág. 5) ganó $3.5 millones.",
        "Dijo: «No.|Nunca».|Vive en EE.UU.|El viaje terminó.",
    ],
    "it": [
        "Il sig. Rossi è arrivato.|L'on. Bianchi ha detto: «Sì».|Perché?|Il prof. Verdi (art. 5) no.",
        "«Perché?» chiede Anna.|Il pres. Mattei tace.|Servono funi, chiodi ecc.|Nessuno paga.",
    ],
    "pt": [
        'O Sr. Silva chegou.|A Dra. Ana disse: "Não."|Custa R$ 3.000.|Foi às 15h.',
        "O gov. Tarso e o dep. Lima falaram.|O cel. Souza saiu.|A lei n.º 12 vale.",
    ],
    "nl": [
        "Dhr. Jansen kwam o.a. met mevr. De Vries.|'s Avonds ging hij weg.|Dat kost ca. 5 mln. euro.",
        "„Waarom?” vroeg Jan.|Niemand weet het.|Op 5 jan. 2021 ging min. Kok.|Het duurt 3 min.|Toen niet.",
    ],
    "ru": [
        "В 2015 г. Путин приехал.|А. С. Пушкин родился в г. Москве.|Это стоит 5 тыс. руб.|Он сказал: «Да».",
        "В 2016 г.|Он уехал.|— Готовы, — сказал он.",
        "«Почему?» — спросил он.|Никто не знает.|Он живёт на ул. Мира, д. 5.|Это 3 тыс. чел.|И т. д.|Всё.",
    ],
    "ar": [
        "قال الوزير إن الاتفاق لم يوقع بعد.|هل وافقت الحكومة؟|لا!|وأكد د. محمد ذلك.",
        "لماذا؟!|لا أحد يعرف؛ فالباب مغلق، والوقت متأخر.|ارتفع البرج 20 م.|وكان الأعلى.|ذهب م. خالد.",
    ],
    "zh": ["谈判将继续。|真的吗？|是的！|价格上涨3.5%。|“我们同意。”张三说。|“我们反对。|这是错误的。”"],
    "ja": ["首相は「交渉は続ける。合意はない。」と述べた。|野党は反対している。|なぜか？|理由は不明だ。"],
    "hi": ["प्रधानमंत्री ने कहा कि समझौता नहीं हुआ।|डॉ. सिंह ने पुष्टि की।|क्या यह सच है?|हाँ।"],
    "pl": ["W 2015 r. przyjechał prof. Nowak.|Kosztuje to 5 tys. zł.|To koniec."],
    "xx": ["Dr. Who came at 3.5 knots.|Then he went."],
}


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "example"), [(language, text) for language, texts in EXAMPLES.items() for text in texts]
)
def test_news_is_split_into_its_sentences(language: str, example: str):
    expected = example.split("|")
    joint = "" if language in {"zh", "ja"} else " "
    assert sentences(joint.join(expected), language) == expected


def test_a_line_without_a_final_mark_is_no_sentence():
    text = "fruitful talks\n\nThe talks went on.\n\nhumanitarian aid\n\nAid was agreed. Photo: agency"
    assert sentences(text) == ["The talks went on.", "Aid was agreed."]


def test_a_heading_directly_above_its_paragraph_is_no_sentence():
    body = "The two sides spoke for two days about aid, security and the safe passage of all."
    assert sentences(f"Talks end in Doha\n{body}\nAid\nIt is agreed.") == [body, "It is agreed."]


def test_wrapped_lines_are_one_sentence_with_its_line_ends():
    body = "The two sides spoke for two days about aid and the\nsafe passage of Mr.\nSmith and others."
    assert sentences(f"{body} They agreed.\n") == [body, "They agreed."]


@pytest.mark.parametrize("bullet", ["- ", "• ", "* ", "– ", "1. ", "2) ", "(3) ", "a) "])
def test_a_bullet_is_not_part_of_its_sentence(bullet: str):
    text = f"{bullet}Prices rose.\n{bullet}Wages\n{bullet}Rents fell."
    assert sentences(text) == ["Prices rose.", "Rents fell."]


def test_the_numbers_of_a_list_in_one_line_belong_to_their_items():
    assert sentences("Three things matter. 1. Prices rose. 2. Wages fell.") == [
        "Three things matter.",
        "1. Prices rose.",
        "2. Wages fell.",
    ]


def test_a_missing_space_is_recognized_before_a_word_that_starts_sentences():
    assert sentences("He said so.The end came.") == ["He said so.", "The end came."]


def test_a_text_without_any_mark_is_split_at_its_lines():
    text = "Short head\n\nnobody in this house used full stops\n\nand nobody in this street will begin now"
    assert len(sentences(text)) == 2


def test_a_script_without_full_stops_is_split_into_paragraphs():
    assert len(sentences("ประเทศไทยประกาศข้อตกลงใหม่เมื่อวันจันทร์\n\nรัฐบาลยืนยันว่ายังไม่มีการลงนามใดๆ", "th")) == 2


@pytest.mark.parametrize("text", ["", " \n\n ", "\0", "word", "...", "\ud800", "\u200f", "。", "- "])
def test_fragments_do_not_raise(text: str):
    split_sentences(text)


def test_every_kind_of_line_end_separates_paragraphs():
    for end in ("\n\n", "\r\n\r\n", "\r\r", "\u2029\u2029", "\x85\x85"):
        assert sentences(f"Heading{end}One went.{end}Two came.") == ["One went.", "Two came."]


PIECES = st.sampled_from(
    [
        *"aZé.!?…。！？।؟「」“”\"'()«» \n\r\t-–3",
        "Mr",
        "U.S",
        " The ",
        "\u200f",
        "\ud800",
        "\0",
        "กข",
        "他",
        "\u2028",
    ]
)


@example("- \n.", "ar")
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80), st.sampled_from(sorted(EXAMPLES)))
def test_sentences_and_the_gaps_between_them_add_up_to_the_text(text: str, language: str):
    found = split_sentences(text, language)
    places = [0, *(place for sentence in found for place in sentence), len(text)]
    assert places == sorted(places)
    rebuilt = "".join(text[a:b] for a, b in pairwise(places))
    assert rebuilt == text
    for start, end in found:
        assert text[start:end].strip() == text[start:end] != ""


HOSTILE = {
    "letters": "a" * 1_000_000,
    "glued": "a." * 500_000,
    "brackets": "(" * 100_000,
    "stops": "." * 1_000_000 + "a",
    "spaced stops": ". " * 300_000,
    "quotes": '."' * 300_000,
    "quotes behind a stop": "." + '"' * 1_000_000 + "a",
    "questions": "?他" * 200_000,
    "abbreviations": "Mr. " * 200_000,
    "spaces behind a stop": "a." + " " * 1_000_000 + "b",
    "open quotes": "「" * 100_000 + "。" * 100_000 + "あ",
    "lines": "a\n" * 200_000,
    "wrapped": ("x" * 60 + "\n") * 20_000,
    "names": '?" ' + "Aa " * 200_000,
    "bullets": "- a\n" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name: str):
    # Without a clock: a quadratic splitter would need minutes.
    text = HOSTILE[name]
    assert all(0 <= start < end <= len(text) for start, end in split_sentences(text))


@pytest.mark.parametrize("dash", ["—", "―", "--"])
def test_a_dash_goes_on_with_a_dateline_and_with_a_sentence_in_small_letters(dash):
    dateline = f"HARTFORD, Me. {dash} The senate voted on Friday."
    aside = f"The vote went to Ann Lund (D-N.Y.) {dash} for the second time."
    text = f"{dateline} {aside}"
    assert [text[start:end] for start, end in split_sentences(text)] == [dateline, aside]
