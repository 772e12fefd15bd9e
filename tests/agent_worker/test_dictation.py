"""Values that are dictated in pieces, and beginnings of sentences, are told from what is complete."""

from __future__ import annotations

import pytest

from agent_worker.text.dictation import Dictation, dictation
from agent_worker.text.open_beginning import is_open
from agent_worker.turn_taking.pause_length import Pause, pause_after

PHONE = {
    "en": "Sure. What's your phone number?",
    "de": "Gern. Wie ist Ihre Telefonnummer?",
    "fr": "Quel est votre numéro de téléphone ?",
    "es": "¿Cuál es su número de teléfono?",
    "pt": "Qual é o seu número de telefone?",
}
EMAIL = {
    "en": "And what's your email address?",
    "de": "Wie lautet Ihre E-Mail-Adresse?",
    "fr": "Quelle est votre adresse mail ?",
    "es": "¿Cuál es su correo electrónico?",
    "pt": "Qual é o seu e-mail?",
}
SPELL = {
    "en": "Could you spell your last name?",
    "de": "Buchstabieren Sie bitte Ihren Namen.",
    "fr": "Pouvez-vous épeler votre nom ?",
    "es": "¿Puede deletrear su apellido?",
    "pt": "Pode soletrar o seu nome?",
}


def values(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(
    ("language", "text"),
    values(
        {
            "en": [
                "four one five",
                "four one five five five five",
                "Four one five. Five five five.",
                "It's 415",
                "two oh two, uh",
                "double seven three",
                "plus four four two oh seven",
                "415 555 and then",
            ],
            "de": ["null eins sieben sechs", "0176", "zwo drei", "Ja, die ist null vier null"],
            "fr": ["zéro six", "zéro six douze trente-quatre", "06 12 34 56", "C'est le zéro un"],
            "es": ["seis uno dos", "612 345", "Es el nueve uno"],
            "pt": ["nove um dois", "É o dois um três", "11 98765"],
        }
    ),
)
def test_phone_number_with_too_few_digits_is_incomplete(language: str, text: str) -> None:
    assert dictation(text, PHONE[language], language) is Dictation.INCOMPLETE


@pytest.mark.parametrize(
    ("language", "text"),
    values(
        {
            "en": [
                "four one five five five five oh one two three",
                "(415) 555-0123",
                "one four one five five five five oh one two three",
                "I don't have one",
                "Why do you need it?",
                "You have my number, 415, already in your system",
            ],
            "de": ["null eins sieben sechs eins zwei drei vier fünf sechs sieben", "Ich habe kein Telefon."],
            "fr": ["06 12 34 56 78", "Je n'en ai pas."],
            "es": ["seis uno dos tres cuatro cinco seis siete ocho", "No tengo."],
            "pt": ["11 98765 4321", "Não tenho."],
        }
    ),
)
def test_whole_phone_number_and_another_answer_are_complete(language: str, text: str) -> None:
    assert dictation(text, PHONE[language], language) is Dictation.NONE


@pytest.mark.parametrize(
    ("language", "text"),
    values(
        {
            "en": ["Sure.", "Sure, it's", "Yes, one moment.", "Okay, let me see"],
            "de": ["Ja, einen Moment bitte.", "Gerne, die ist"],
            "fr": ["Oui, c'est le", "Un instant s'il vous plaît"],
            "es": ["Claro, es el", "Un momento por favor"],
            "pt": ["Sim, é o", "Um momento por favor"],
        }
    ),
)
def test_words_that_only_announce_a_value_leave_it_open(language: str, text: str) -> None:
    assert dictation(text, PHONE[language], language) is Dictation.OPEN


@pytest.mark.parametrize(
    ("language", "text"),
    values(
        {
            "en": [
                "It's john dot smith",
                "john",
                "j smith underscore",
                "mary at",
                "john dot smith at example",
                "john.smith@",
                "maria hyphen lopez",
                "info at my company dot",
            ],
            "de": ["anna punkt meier", "anna unterstrich", "anna punkt meier at web punkt"],
            "fr": ["jean point dupont", "jean tiret", "jean point dupont arobase"],
            "es": ["ana punto garcía", "ana guion bajo", "ana punto garcía arroba gmail"],
            "pt": ["ana ponto silva", "ana arroba", "ana ponto silva arroba gmail ponto"],
        }
    ),
)
def test_email_address_without_its_end_is_incomplete(language: str, text: str) -> None:
    assert dictation(text, EMAIL[language], language) is Dictation.INCOMPLETE


@pytest.mark.parametrize(
    ("language", "text"),
    values(
        {
            "en": [
                "john dot smith at example dot com",
                "It's john.smith@example.com.",
                "m lopez 84 at mail dot example dot org",
                "I don't have an email address",
            ],
            "de": ["anna punkt meier at web punkt de", "anna.meier@web.de"],
            "fr": ["jean point dupont arobase free point fr"],
            "es": ["ana punto garcía arroba gmail punto com"],
            "pt": ["ana ponto silva arroba gmail ponto com"],
        }
    ),
)
def test_whole_email_address_is_complete(language: str, text: str) -> None:
    assert dictation(text, EMAIL[language], language) is Dictation.NONE


@pytest.mark.parametrize(
    "text",
    [
        "It's john dot smith",
        "my email is ana dot lopez",
        "bob@",
        "you can write to john dot smith at",
        "my email is ana dot lopez at example",
    ],
)
def test_email_address_is_recognised_without_a_question(text: str) -> None:
    assert dictation(text, None, "en") is Dictation.INCOMPLETE


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "S M", Dictation.INCOMPLETE),
        ("en", "S as in Sam, M", Dictation.INCOMPLETE),
        ("en", "K-O-W-A", Dictation.OPEN),
        ("en", "w double o", Dictation.OPEN),
        ("en", "b o apostrophe", Dictation.INCOMPLETE),
        ("en", "double t", Dictation.INCOMPLETE),
        ("en", "Smith, S M I T H", Dictation.NONE),
        ("en", "It's just Smith", Dictation.NONE),
        ("de", "M E", Dictation.INCOMPLETE),
        ("de", "M wie Martha, E wie Emil, I", Dictation.OPEN),
        ("fr", "D U", Dictation.INCOMPLETE),
        ("fr", "Dupont, D U P O N T", Dictation.NONE),
        ("es", "G A", Dictation.INCOMPLETE),
        ("es", "G A R C", Dictation.OPEN),
        ("pt", "S I", Dictation.INCOMPLETE),
        ("pt", "Silva, S I L V A", Dictation.NONE),
        ("en", "sierra mike", Dictation.INCOMPLETE),
        ("en", "Sierra, Mike, India.", Dictation.OPEN),
        ("en", "Smith, sierra mike india tango hotel", Dictation.NONE),
        ("de", "Anton Berta", Dictation.INCOMPLETE),
        ("de", "Berta Anton Ulrich", Dictation.OPEN),
        ("fr", "Désiré Ursule", Dictation.INCOMPLETE),
        ("es", "Antonio Barcelona Carmen", Dictation.OPEN),
        ("pt", "Setúbal Itália Lisboa", Dictation.OPEN),
    ],
)
def test_spelled_name_goes_on_until_it_is_the_name_that_was_said(language: str, text: str, expected: Dictation) -> None:
    assert dictation(text, SPELL[language], language) is expected


@pytest.mark.parametrize(
    "text",
    ["We need a golf hotel", "I'd like a hotel in Lima in November", "My name is Mike", "We met in Quebec, papa"],
)
def test_words_of_the_spelling_alphabet_in_a_sentence_are_words(text: str) -> None:
    assert dictation(text, "How can I help?", "en") is Dictation.NONE


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What's your date of birth?", "March", Dictation.INCOMPLETE),
        ("What's your date of birth?", "March third", Dictation.INCOMPLETE),
        ("What's your date of birth?", "March third nineteen eighty four", Dictation.NONE),
        ("What's your date of birth?", "03/04/1984", Dictation.NONE),
        ("What is your zip code?", "9 4 1", Dictation.INCOMPLETE),
        ("What is your zip code?", "9 4 1 0 3", Dictation.NONE),
        ("Please read me the card number.", "four one one one, one one one one", Dictation.INCOMPLETE),
        ("Please read me the card number.", "4111 1111 1111 1111", Dictation.NONE),
        ("What's your order number?", "seven two", Dictation.INCOMPLETE),
        ("What's your order number?", "seven two nine four five", Dictation.OPEN),
        ("And your address?", "12", Dictation.INCOMPLETE),
        ("And your address?", "Main Street", Dictation.INCOMPLETE),
        ("And your address?", "12 Main Street", Dictation.OPEN),
        ("And your address?", "12 Main Street, Springfield, Illinois", Dictation.NONE),
        ("And your address?", "Oak Lane, Springfield, nine four one oh three", Dictation.NONE),
        ("And the code on the back?", "three five three", Dictation.OPEN),
        ("What's the license plate?", "seven a b", Dictation.INCOMPLETE),
        ("And the booking reference?", "k l seven two", Dictation.OPEN),
        ("What's your member id?", "k seven", Dictation.INCOMPLETE),
        ("Your date of birth, please.", "oh three oh four", Dictation.INCOMPLETE),
        ("Your phone number please.", "four one five", Dictation.INCOMPLETE),
        ("One moment, please.", "four", Dictation.NONE),
        ("How can I help you?", "my account number is seven two", Dictation.INCOMPLETE),
        (None, "four one five", Dictation.OPEN),
        (None, "The card number is 4111 1111 1111 1111 and the code is three five", Dictation.INCOMPLETE),
        (None, "The card number is 4111 1111 1111 1111 and the code is three five three", Dictation.OPEN),
    ],
)
def test_other_values(question: str | None, text: str, expected: Dictation) -> None:
    assert dictation(text, question, "en") is expected


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What can I do for you?", "A table for two on Friday."),
        ("How many tickets?", "Two."),
        ("I have sent it to your phone number. Anything else?", "No, that's all."),
        ("Is this your phone number?", "What do you mean?"),
        (None, "I looked at amazon dot com"),
        (None, "I live on the third floor."),
        (None, "Plan B"),
        (None, "I should write that email to John, and while I'm at it, do the analysis."),
        (None, "Can you email me the invoice number at work."),
        (None, "At nine thirty."),
        ("And what time would you like to come in?", "four thirty p m"),
        ("When?", "Nine a.m."),
    ],
)
def test_numbers_and_letters_that_nobody_dictates_are_complete(question: str | None, text: str) -> None:
    assert dictation(text, question, "en") is Dictation.NONE


OPEN = {
    "en": [
        "I'd like to order",
        "Hello, I'd like to order.",
        "I want to book a flight to",
        "Can you tell me",
        "Can you tell me?",
        "We moved it so that",
        "I'm calling because",
        "I was wondering if",
        "Can I",
        "Could you please tell me about",
        "My question is",
        "I need",
        "Do you know if",
        "I'd like to speak to",
        "I want to change my",
        "Well, we waited until",
        "In order to",
        "The thing is that",
    ],
    "de": [
        "Ich möchte",
        "Ich hätte gern",
        "Können Sie mir sagen",
        "Ich habe das gemacht, damit",
        "Ich rufe an, weil",
        "Ich möchte einen Tisch für",
        "Ich möchte gerne wissen",
    ],
    "fr": [
        "Je voudrais commander",
        "Est-ce que vous pouvez me dire",
        "C'est pour",
        "Je l'ai fait pour que",
        "Je voudrais",
        "J'appelle parce que",
        "Je voudrais réserver une table pour",
    ],
    "es": [
        "Quisiera pedir",
        "¿Me puede decir",
        "Lo hice para que",
        "Quiero",
        "Llamo porque",
        "Quiero reservar un vuelo a",
        "Me gustaría saber si",
    ],
    "pt": [
        "Eu queria pedir",
        "Você pode me dizer",
        "Fiz isso para que",
        "Eu quero",
        "Estou ligando porque",
        "Quero reservar um voo para",
        "Gostaria de saber se",
    ],
}
COMPLETE = {
    "en": [
        "I'd like to order a pizza",
        "What time do you open?",
        "where are you from",
        "I want to cancel",
        "Yes.",
        "I'd like to pay",
        "That's what I'm looking for, thanks",
        "I think so",
        "I already have one",
        "can you help me?",
        "Not really",
        "I'd love to",
        "I don't want to",
        "Just for a while",
        "I don't think so.",
        "What is it for?",
    ],
    "de": [
        "Ich möchte einen Tisch reservieren.",
        "Wann öffnen Sie?",
        "Ja, bitte.",
        "Das ist alles.",
        "Ich möchte bestellen.",
        "Können Sie mir helfen?",
    ],
    "fr": [
        "Je voudrais commander une pizza.",
        "À quelle heure ouvrez-vous ?",
        "Oui, merci.",
        "C'est tout.",
        "Je ne sais pas.",
    ],
    "es": ["Quisiera pedir una pizza.", "¿A qué hora abren?", "Sí, gracias.", "Eso es todo.", "No lo sé."],
    "pt": ["Eu queria pedir uma pizza.", "A que horas abre?", "Sim, obrigado.", "É só isso.", "Não sei."],
}


@pytest.mark.parametrize(("language", "text"), values(OPEN))
def test_beginning_of_a_sentence_is_open(language: str, text: str) -> None:
    assert is_open(text, language)
    assert pause_after(text, None, language) is Pause.OPEN


@pytest.mark.parametrize(("language", "text"), values(COMPLETE))
def test_whole_sentence_is_not_open(language: str, text: str) -> None:
    assert not is_open(text, language)
    assert pause_after(text, None, language) is Pause.USUAL


@pytest.mark.parametrize("language", ["nl", "zh", "en", "de", "fr", "es", "pt"])
@pytest.mark.parametrize(
    "text", ["", " ", "?", "\ud800", "a " * 5000, "1 " * 5000, "@" * 400, "(((", "dot " * 400, "my is " * 99]
)
def test_any_text_is_judged(text: str, language: str) -> None:
    for question in (None, "", PHONE["en"], EMAIL["en"], SPELL["en"], "What's your address?", "date of birth?"):
        dictation(text, question, language)
    is_open(text, language)
