"""References: what a sentence leans on, and how it can be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.block_reading import Candidate
from service.condense.candidates import read_candidates
from service.condense.references import Reference, find_references

LEAD = "The ministry and the unions signed an agreement on wages in Bergen."


def references(text, language="en"):
    candidates = read_candidates(text, (), language, 100)
    return candidates, list(find_references(text, candidates, language))


def leans(sentence, language="en", lead=LEAD):
    return references(f"{lead} {sentence}", language)[1][-1] is not None


def trimmed(text, language="en", place=0):
    candidates, found = references(text, language)
    reference = found[place]
    return text[reference.trimmed_start : candidates[place].end] if reference else None


@pytest.mark.parametrize(
    "sentence",
    [
        "He said the offer was final.",
        "Her lawyer declined to comment.",
        "They will vote on Friday.",
        "It was opened in 1962.",
        "This was a surprise to the harbour.",
        "These measures cost two million crowns.",
        "Such strikes are rare in winter.",
        "The latter has no reserves.",
        "Another ferry was damaged.",
        "Hours later, the bridge was closed.",
        "As a result, the bridge was closed.",
        "But the unions want more.",
        "On Monday, she met the owners.",
        "In a statement, it named three conditions.",
        "The roof was unsafe, he added.",
        '"The roof is unsafe," he added.',
        '"The roof is unsafe."',
        "That is why the pier stays shut.",
        "Police said he was armed.",
        "Founded in 1962, it owns nine ferries.",
        "Apart from this, the port is quiet.",
        "One warned that the roof was unsafe.",
        "The mayor was calm, he said on Friday.",
        "If treated, it does little harm.",
        "For the old port, it means real hope.",
        "In his speech on Friday, he attacked Maria Berg, the mayor.",
        "The owners have little faith in such statements.",
        "Bergen's Harbour Commission said he was calm.",
        "Officials later determined that it was safe.",
        "The owners answered those two claims at noon.",
        "The owners made a list in response to that request.",
        "The owners said that in response to that request, the owners made a list.",
        "It found no trace of unusual noises.",
        "However the owners want more.",
        "In four stormy years they lost nine ships.",
        "There is no sign that it will open soon.",
        "When this happened, the port was closed.",
    ],
)
def test_a_sentence_with_a_word_that_points_back_leans(sentence):
    assert leans(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It is unclear whether the pier will open.",
        "It rained for a week.",
        "This week the pier stays shut.",
        "These days the pier is empty.",
        "This agreement ends in May.",
        "The minister said he would resign.",
        "Anders Holm said he would resign.",
        "After his arrest, Anders Holm left the party.",
        "The company said its ships were safe.",
        "The owners of the port said it was safe.",
        "In court Bergen Ferries said they were safe.",
        "In their report, experts named three reasons.",
        "The owners said that wages would rise.",
        "The owners were abroad at that time.",
        "The owners answered those in the port.",
        "It was not immediately clear who had won.",
        "In his letter, published on Monday, Anders Holm named three reasons.",
        "Both the owners and the unions want a vote.",
        "The statements were false, but the owners believed these statements.",
        "Prices for cod, herring and such are high.",
        "Those who live there want a vote.",
        "Hounded by letters about his novel, Anders Holm left the town.",
        '"It is a great day," said Anders Holm.',
        "So far no ship has left.",
        "When the firm grew, it bought nine ferries.",
        "Prices rose, but they fell in May.",
        "Both Anders Holm and Maria Berg signed.",
        "Both sides want a vote.",
        "A rider fell from the ferry.",
    ],
)
def test_a_sentence_whose_words_have_their_noun_stands_alone(sentence):
    assert not leans(sentence)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "Il a refusé de signer."),
        ("fr", "Mais le pont reste fermé."),
        ("fr", "« Le toit est dangereux », a-t-il ajouté."),
        ("fr", "C'est une surprise pour le port."),
        ("fr", "De son côté, le maire se tait."),
        ("fr", "La ministre a caché ses lettres, a-t-il ajouté lors d'un débat."),
        ("fr", "Selon cette source, le pont est sûr."),
        ("fr", "Il s'agit notamment des ponts du port."),
        ("fr", "Contre toute attente, elle a signé."),
        ("fr", "Parmi ces derniers, onze ont signé."),
        ("fr", "Mais « le toit est dangereux »."),
        ("fr", "À sa mort, seule une fille hérite."),
        ("fr", "À l'époque, celui-ci a protesté."),
        ("fr", "D'autant que le pont reste fermé."),
        ("fr", "Né à Bergen, il dirige le port."),
        ("de", "Er lehnte das Angebot ab."),
        ("de", "Das sagte ein Sprecher am Montag."),
        ("de", "Daraufhin wurde die Brücke gesperrt."),
        ("de", "Seine Anwältin schweigt."),
        ("es", "Añadió que la oferta era final."),
        ("es", "Sin embargo, el puente sigue cerrado."),
        ("es", "Estas medidas cuestan dos millones."),
        ("es", "Su abogada no respondió."),
        ("it", "Inoltre il ponte resta chiuso."),
        ("it", "Ha aggiunto che il ponte resta chiuso."),
        ("it", "Questa scelta costa due milioni."),
        ("pt", "Ele recusou a oferta."),
        ("pt", "No entanto, a ponte continua fechada."),
        ("pt", "Segundo ele, a ponte continua fechada."),
        ("nl", "Hij weigerde het aanbod."),
        ("nl", "Daarom blijft de brug dicht."),
        ("nl", "Zijn advocaat zwijgt."),
        ("ru", "Он отказался от предложения."),
        ("ru", "По его словам, мост закрыт."),
        ("ru", "Эта мера стоит два миллиона."),
        ("ar", "وأضاف أن الجسر مغلق حتى الجمعة."),
        ("ar", "لكن الجسر مغلق حتى الجمعة."),
        ("ar", "وقال: الجسر مغلق حتى الجمعة."),
        ("ar", "من جهته، رفض العرض."),
        ("ar", "وقالت ابنته إن الخبر كاذب."),
        ("ar", "وتستند هذه الأرقام إلى اختبارات."),
        ("ar", "غير أنّ الجسر مغلق."),
        ("ar", "أيضاً رفض العرض."),
    ],
)
def test_words_that_point_back_are_known_in_several_languages(language, sentence):
    assert leans(sentence, language)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "Il y a trois ponts à Bergen."),
        ("fr", "Cette année, le port reste fermé."),
        ("fr", "C'est à Bergen que le pont se trouve."),
        ("fr", "Le maire dit qu'il reste."),
        ("de", "Es ist unklar, ob die Brücke hält."),
        ("de", "Diese Woche bleibt die Brücke gesperrt."),
        ("de", "Das Unternehmen sperrt die Brücke."),
        ("de", "Die Ministerin sagte, sie trete zurück."),
        ("es", "Este año el puente sigue cerrado."),
        ("es", "La ministra dijo que ella no firmó."),
        ("es", "Tal vez el puente abra en mayo."),
        ("it", "Quest'anno il ponte resta chiuso."),
        ("it", "Il ministro ha detto che la sua proposta è pronta."),
        ("pt", "Este ano a ponte continua fechada."),
        ("pt", "A ministra disse que ela não assinou."),
        ("nl", "Het parlement sluit de brug."),
        ("nl", "Het is onduidelijk of de brug opengaat."),
        ("nl", "De minister zei dat hij aftreedt."),
        ("ru", "В этом году мост закрыт."),
        ("ru", "Министр сказал, что он уходит."),
        ("ru", "Кафе закрыто, но его терраса открыта."),
        ("ar", "وقال الوزير إن الجسر مغلق."),
        ("ar", "هذا العام أغلق الجسر مرتين."),
        ("ar", "وقالت الحكومة إنها ستفتح الجسر."),
        ("ar", "وتدفقت المياه في الشوارع."),
        ("ar", "ورحبت الدولة بهذه الخطوة."),
    ],
)
def test_words_that_look_like_it_do_not_point_back(language, sentence):
    assert not leans(sentence, language)


def test_a_definite_noun_leans_if_only_the_sentence_before_names_it():
    assert leans("The ferry was old.", lead=f"{LEAD} A ferry sank.")
    assert not leans("The ferry was old.", lead="A ferry sank. The ferry was full.")
    assert not leans("The ferry was old.", lead=f"{LEAD} A boat sank.")
    assert leans("Die Fähre war alt.", "de", lead=f"{LEAD} Eine Fähre sank.")
    assert leans("L'alerte dure un jour.", "fr", lead=f"{LEAD} Une alerte est donnée.")


def test_what_a_sentence_leans_on_is_the_sentence_just_before():
    _, found = references("Anders Holm runs the port. He has been there for years. He likes it.")
    assert [one.antecedent if one else None for one in found] == [None, 0, 1]


def test_nothing_makes_a_sentence_clear_that_stands_first_or_behind_a_heading():
    _, found = references(
        "He has been there for years and likes it.\n\nThe port\n\nThey will vote on Friday."
    )
    assert [one.antecedent for one in found] == [-1, -1]


def test_a_sentence_without_a_person_does_not_say_who_he_is():
    _, found = references("The bridge was closed for a week. He said it was unsafe.")
    assert found[1].antecedent == -1
    _, found = references("Le pont est fermé depuis une semaine. Elle raconte la nuit.", "fr")
    assert found[1].antecedent == -1


def test_a_connective_is_trimmed_if_the_rest_stands_alone():
    assert trimmed(f"{LEAD} But the owners want more.", place=1) == "the owners want more."
    assert trimmed(f"{LEAD} However, the owners want more.", place=1) == "the owners want more."
    assert trimmed(f"{LEAD} But they want more.", place=1) == "But they want more."


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "But not for the reasons that Holm gave."),
        ("en", "And for decades, ferries have sailed to Bergen."),
        ("en", "Nevertheless, rest for a day or two."),
        ("en", "But Holm left."),
        ("en", "However, an official of the harbour, said that the ferry was safe."),
        ("en", "But at the time, ferries were cheap."),
        ("en", "But when the harbour froze."),
        ("fr", "Mais pendant dix ans, les bateaux ont coûté peu."),
        ("de", "Aber in Bergen fahren die Schiffe wieder."),
        ("es", "Pero en Bergen los barcos navegan de nuevo."),
    ],
)
def test_a_connective_stays_before_words_that_may_be_no_sentence(language, sentence):
    assert trimmed(f"{LEAD} {sentence}", language, place=1) == sentence


@pytest.mark.parametrize(
    ("language", "sentence", "rest"),
    [
        (
            "en",
            "But when the harbour froze, the ferries stayed.",
            "when the harbour froze, the ferries stayed.",
        ),
        ("en", "Yet Anders Holm wants more.", "Anders Holm wants more."),
        ("en", "But 12 ferries are still too old.", "12 ferries are still too old."),
        ("fr", "Mais des bateaux sont trop vieux.", "des bateaux sont trop vieux."),
        ("ru", "Но паромы снова ходят в Берген.", "паромы снова ходят в Берген."),
    ],
)
def test_a_connective_is_trimmed_before_a_subject(language, sentence, rest):
    assert trimmed(f"{LEAD} {sentence}", language, place=1) == rest


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "At the time, ferries were cheap."),
        ("en", "By this time the ferries had left."),
        ("fr", "À l'époque, les bateaux étaient rares."),
        ("de", "Damals waren Schiffe selten."),
        ("es", "En aquel momento, los barcos eran pocos."),
        ("it", "All'epoca i battelli erano pochi."),
        ("nl", "Destijds waren schepen zeldzaam."),
        ("ru", "В то время паромы были редкостью."),
    ],
)
def test_a_time_that_was_named_before_leans(language, sentence):
    assert leans(sentence, language)
    assert not leans("At the time of the storm, ferries were cheap.")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Because the ferries are too old for the winter."),
        ("en", "No, but the city will buy a new ferry."),
        ("de", "Weil die Schiffe zu alt für den Winter sind."),
        ("fr", "Parce que les bateaux sont trop vieux pour la mer."),
    ],
)
def test_an_answer_leans_on_its_question(language, sentence):
    assert leans(sentence, language, lead=f"{LEAD} Why does no ferry sail to Bergen now?")


def test_a_statement_behind_a_question_stands_alone():
    statement = "The harbour of Bergen was closed by the storm."
    assert not leans(statement, lead=f"{LEAD} Why does no ferry sail?")


def test_a_sentence_that_begins_inside_a_quotation_leans():
    text = f'{LEAD} "We looked at all. The ferries are safe," said Anders Holm.'
    start = text.index("The ferries")
    candidates = [
        Candidate(0, len(LEAD)),
        Candidate(len(LEAD) + 1, start - 1),
        Candidate(start, len(text)),
    ]
    assert find_references(text, candidates, "en")[2] is not None
    assert not leans('Anders Holm called the ferries "safe" on Monday.')
    assert not leans('The plank of Anders Holm is 6 ft 2" long.')


def test_the_rest_of_a_sentence_that_was_cut_leans_on_its_beginning():
    text = f"{LEAD} The ferry left! with all of the crew on board."
    start = text.index("with all")
    candidates = [Candidate(0, len(LEAD)), Candidate(len(LEAD) + 1, start - 1), Candidate(start, len(text))]
    assert find_references(text, candidates, "en")[2] == Reference(1, None, start)


def test_a_name_in_small_letters_begins_a_sentence():
    assert not leans("iPhones are sold on the ferries to Bergen.")
    assert not leans("al-Bakr was seen on the ferry to Bergen.")


def test_a_person_who_was_asked_is_not_taken_for_the_person_asked_about():
    asked = "Asked whether he knew of the letter, she gave no answer."
    _, found = references(f"{LEAD} Anders Holm wrote a letter to Bergen. {asked}")
    assert found[2].antecedent == -1
    assert found[2].hint is None


def test_the_subject_of_a_clause_is_not_the_noun_before_it():
    assert leans("The only candidate he met was a farmer from Bergen.")
    assert not leans("The candidate said he met a farmer from Bergen.")
    assert not leans("The city gave the candidate his letters.")


def test_a_french_clause_that_points_at_what_was_said_leans():
    assert leans("C'est alors que le bateau a coulé.", "fr")
    assert leans("Plus tard, le bateau a coulé.", "fr")


def test_a_quotation_is_never_trimmed():
    quotation = '"But the owners want more," said Anders Holm.'
    assert trimmed(f"{LEAD} {quotation}", place=1) == quotation


@pytest.mark.parametrize(
    ("language", "dateline", "rest"),
    [
        ("en", "WASHINGTON — ", "The senate voted on Friday."),
        ("en", "WASHINGTON ― ", "The senate voted on Friday."),
        ("en", "AUGUSTA, Me. — ", "The senate voted on Friday."),
        ("en", "HARTFORD, Conn. -- ", "The senate voted on Friday."),
        ("en", "LONDON (AP) — ", "The senate voted on Friday."),
        ("en", "Doha, 4 May (HLN) - ", "The emir signed on Friday."),
        ("en", "(CNN) -- ", "The senate voted on Friday."),
        ("en", "(CNN)", "The senate voted on Friday."),
        ("en", "New Delhi, Aug 1 (PTI) ", "The senate voted on Friday."),
        ("en", "WASHINGTON — ", "The senate — or half of it — voted on Friday."),
        ("de", "Berlin - ", "Der Senat hat am Freitag abgestimmt."),
        ("de", "Berlin/Paris (dpa) – ", "Der Senat hat am Freitag abgestimmt."),
        ("it", "(ANSA) - ROMA, 04 MAG - ", "Il senato ha votato venerdì."),
        ("es", "Madrid, 4 may (EFE).- ", "El senado votó el viernes."),
        ("ru", "МОСКВА, 4 мая (ТАСС) — ", "Сенат проголосовал в пятницу."),
        ("fr", "Paris, 3 mai (AFP) – ", "Le sénat a voté vendredi."),
        ("ar", "القاهرة (رويترز) - ", "صوت مجلس الشيوخ يوم الجمعة."),
    ],
)
def test_a_dateline_is_trimmed(language, dateline, rest):
    assert trimmed(dateline + rest, language) == rest


@pytest.mark.parametrize(
    "sentence",
    [
        "The senate voted on Friday.",
        "Anders Holm -- the mayor -- resigned.",
        "NATO members voted on Friday.",
        "A deal (the third) is near.",
        "IBM — which owns the plant — resigned.",
        "Anders Holm (SP) – Mayor of Bergen – resigned.",
    ],
)
def test_a_sentence_without_a_dateline_is_not_trimmed(sentence):
    assert references(sentence)[1] == [None]


def test_a_language_without_words_has_no_references_but_datelines():
    assert references("TIRANA — Kuvendi votoi të premten. Ai tha se po.", "sq")[1] == [
        Reference(-1, None, len("TIRANA — ")),
        None,
    ]


def test_a_comparison_is_understood_in_the_first_sentence():
    assert references("Another ferry was damaged in the storm.")[1] == [None]


def hint(text, language="en"):
    candidates, found = references(text, language)
    span = found[-1].hint
    assert span is None or span.end <= candidates[-1].start
    return text[span.start : span.end] if span else None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The mayor Anders Holm said no. Holm was calm. He left at noon.", "Holm"),
        ("Minister Anders Holm closed the port. He left at noon.", "Anders Holm"),
        ("Ms. Berg closed the port. She left at noon. On Friday, she came back.", "Berg"),
        ('"The roof is unsafe," said Anders Holm. "We must close it at once."', "Anders Holm"),
        ("Anders Holm, 45, runs the port. His ships are old.", "Anders Holm"),
        ("Holm, the mayor of Bergen, said no. He left at noon.", "Holm"),
    ],
)
def test_a_pronoun_is_explained_by_the_only_person_before_it(text, name):
    assert hint(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Anders Holm met Maria Berg on Friday. He left at noon.",
        "Anders Holm met a lawyer on Friday. He left at noon.",
        "Mr. Holm closed the port. She left at noon.",
        "The Norwegian Ferries closed the port. He left at noon.",
        "He said Anders Holm was wrong. He left at noon.",
        "Anders Holm said no. Two ships left. A ferry sank. He left at noon.",
        "Anders Holm said no. He said Holm was wrong.",
        "He was tried before Judge Anders Holm. He left at noon.",
        "If Anders Holm replaces her, the port will close. She left at noon.",
        "Anders Holm asked why the port was closed. He named three reasons.",
        'Anders Holm said no. "He lied to us," Maria Berg said.',
        "Anders Holm said no.\n\nThe port\n\nHe left at noon.",
    ],
)
def test_no_hint_is_given_where_the_person_is_not_sure(text):
    assert hint(text) is None


def test_references_are_a_sequence():
    text = f"{LEAD} He left. But the owners want more."
    candidates = read_candidates(text, (), "en", 100)
    found = find_references(text, candidates, "en")
    assert len(found) == len(candidates)
    assert found[-1] == found[2] == found[1:][1]
    with pytest.raises(IndexError):
        found[3]


def test_a_text_without_candidates_has_no_references():
    assert list(find_references("", [], "en")) == []


@given(
    st.text(alphabet="Hhe sai.,d\"“”—()'TB-\n", max_size=200), st.sampled_from(["en", "fr", "de", "ar", "sq"])
)
def test_no_text_breaks_the_rules(text, language):
    candidates = [Candidate(0, len(text) // 2), Candidate(len(text) // 2, len(text))]
    for place, reference in enumerate(find_references(text, candidates, language)):
        if reference is not None:
            assert reference.antecedent in (-1, place - 1)
            assert candidates[place].start <= reference.trimmed_start <= candidates[place].end
            assert reference.hint is None or reference.hint.end <= candidates[place].start
