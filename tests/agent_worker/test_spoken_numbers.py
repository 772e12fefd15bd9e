from __future__ import annotations

import pytest

from agent_worker.text.spoken_numbers import numbers_as_words

PHONE = "four one five, five five five, zero one two three"


def assert_read(language: str, written: str, spoken: str) -> None:
    assert numbers_as_words(written, language) == spoken
    assert numbers_as_words(f"X {written}. Y", language) == f"X {spoken}. Y"


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en", "$7667.47", "seven thousand six hundred sixty-seven dollars and forty-seven cents"),
        ("en", "$1", "one dollar"),
        ("en", "€0.99", "ninety-nine cents"),
        ("en", "-$5.50", "minus five dollars and fifty cents"),
        ("en", "$5-$10", "five to ten dollars"),
        ("en", "$3.5bn", "three point five billion dollars"),
        ("en", "10.000 USD", "ten thousand US dollars"),
        ("en", "$5k-10k", "five thousand to ten thousand dollars"),
        ("en", "$1 million–$2 million", "one million to two million dollars"),
        ("en", "$900k - $1.5M", "nine hundred thousand to one point five million dollars"),
        ("en", "CA$5", "five Canadian dollars"),
        ("en", "A$2.50", "two Australian dollars and fifty cents"),
        ("en", "US$1", "one US dollar"),
        ("en", "NZ$3 - NZ$4", "three to four New Zealand dollars"),
        ("en", "HK$1.5 million", "one point five million Hong Kong dollars"),
        ("en", "S$0.99", "ninety-nine cents"),
        ("en", "MX$300/night", "three hundred Mexican pesos per night"),
        ("en", "AUD 20", "twenty Australian dollars"),
        ("en", "$20 CAD", "twenty Canadian dollars"),
        ("en", "$20 USDC", "twenty dollars USDC"),
        ("en", "2 CAD files", "2 CAD files"),
        ("de", "1 CA$", "ein kanadischer Dollar"),
        ("de", "US$ 1.200,50", "eintausendzweihundert US-Dollar und fünfzig Cent"),
        ("de", "7 NZ$", "sieben Neuseeland-Dollar"),
        ("fr", "20 $ CA", "vingt dollars canadiens"),
        ("fr", "2 000 000 US$", "deux millions de dollars américains"),
        ("fr", "1 A$", "un dollar australien"),
        ("es", "US$20", "veinte dólares estadounidenses"),
        ("es", "HK$1", "un dólar de Hong Kong"),
        ("es", "NZ$ 21", "veintiún dólares neozelandeses"),
        ("pt", "US$ 1.000,50", "mil dólares americanos e cinquenta centavos"),
        ("pt", "CA$ 2", "dois dólares canadenses"),
        ("pt", "A$ 1", "um dólar australiano"),
        ("en", "99¢", "ninety-nine cents"),
        ("de", "7.667,47 €", "siebentausendsechshundertsiebenundsechzig Euro und siebenundvierzig Cent"),
        ("de", "1 €", "ein Euro"),
        ("de", "3,5 Mio. €", "drei Komma fünf Millionen Euro"),
        ("fr", "7 667,47 €", "sept mille six cent soixante-sept euros et quarante-sept centimes"),
        ("fr", "£1", "une livre"),
        ("fr", "5 millions €", "cinq millions d'euros"),
        ("es", "7.667,47 €", "siete mil seiscientos sesenta y siete euros con cuarenta y siete céntimos"),
        ("es", "21 £", "veintiuna libras"),
        ("es", "1.000.000 €", "un millón de euros"),
        ("pt", "R$ 7.667,47", "sete mil seiscentos e sessenta e sete reais e quarenta e sete centavos"),
        ("pt", "2 £", "duas libras"),
    ],
)
def test_amounts_are_read_with_their_currency(language: str, written: str, spoken: str) -> None:
    assert_read(language, written, spoken)


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en", "09:08 AM", "nine oh eight AM"),
        ("en", "9am", "nine AM"),
        ("en", "9:00", "nine o'clock"),
        ("en", "14:30", "fourteen thirty"),
        ("en", "12:15 p.m", "twelve fifteen PM"),
        ("en", "5:00 o'clock", "five o'clock"),
        ("en", "18:30h", "eighteen thirty"),
        ("en", "7:45:00", "seven forty-five"),
        ("de", "14:05 h", "vierzehn Uhr fünf"),
        ("fr", "9h-17h", "neuf heures à dix-sept heures"),
        ("fr", "0h30", "zéro heure trente"),
        ("es", "9:00 h", "nueve en punto"),
        ("en", "9:30 AM-5 PM", "nine thirty AM to five PM"),
        ("en", "9–11 AM", "nine to eleven AM"),
        ("en", "9:00 AM – 5:30 PM", "nine AM to five thirty PM"),
        ("de", "10–16 Uhr", "zehn bis sechzehn Uhr"),
        ("de", "09:08 Uhr", "neun Uhr acht"),
        ("de", "1 Uhr", "ein Uhr"),
        ("de", "14:30", "vierzehn Uhr dreißig"),
        ("fr", "9h08", "neuf heures huit"),
        ("fr", "1 h", "une heure"),
        ("es", "9:08", "nueve y ocho"),
        ("es", "9 PM", "nueve de la noche"),
        ("pt", "9h08", "nove e oito"),
        ("pt", "14h", "catorze horas"),
    ],
)
def test_times_are_read_as_people_say_them(language: str, written: str, spoken: str) -> None:
    assert_read(language, written, spoken)


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en", "4155550123", PHONE),
        ("en", "(415) 555-0123", PHONE),
        ("en", "415.555.0123", PHONE),
        ("en", "+1 415-555-0123", f"plus one, {PHONE}"),
        ("en", "+44 (0)20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("de", "+49 (0) 30 123456", "plus vier neun, drei null, eins zwei drei, vier fünf sechs"),
        ("fr", "+33 (0)1 42 34 56 78", "plus trois trois, un, quatre deux, trois quatre, cinq six, sept huit"),
        ("en", "555-0123", "five five five, zero one two three"),
        ("de", "0170 1234567", "null eins sieben null, eins zwei drei, vier fünf sechs sieben"),
        ("fr", "01 42 34 56 78", "zéro un, quarante-deux, trente-quatre, cinquante-six, soixante-dix-huit"),
        ("es", "612 345 678", "seis uno dos, tres cuatro cinco, seis siete ocho"),
        ("pt", "912345678", "nove um dois, três quatro cinco, seis sete oito"),
    ],
)
def test_phone_numbers_are_digits_in_groups(language: str, written: str, spoken: str) -> None:
    assert_read(language, written, spoken)


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en", "2025-03-01", "March first, twenty twenty-five"),
        ("en", "03/01/2025", "March first, twenty twenty-five"),
        ("en-GB", "03/01/2025", "January third, twenty twenty-five"),
        ("en", "March 3, 2025", "March third, twenty twenty-five"),
        ("en", "21st of May", "May twenty-first"),
        ("en", "2025/03/01", "March first, twenty twenty-five"),
        ("en", "Dec. 25, 2025", "December twenty-fifth, twenty twenty-five"),
        ("en", "5 Sept", "September fifth"),
        ("en", "May 5–7, 2025", "May fifth to seventh, twenty twenty-five"),
        ("en", "March 15th - 20th", "March fifteenth to twentieth"),
        ("de", "vom 3. bis 5. Mai", "vom dritten bis fünften Mai"),
        ("de", "am 24. und 25. Dezember", "am vierundzwanzigsten und fünfundzwanzigsten Dezember"),
        ("de", "am 3. 1. 2025", "am dritten Januar zweitausendfünfundzwanzig"),
        ("de", "am 3. März 2025", "am dritten März zweitausendfünfundzwanzig"),
        ("de", "der 3. Oktober", "der dritte Oktober"),
        ("de", "im 3. Stock", "im dritten Stock"),
        ("fr", "01/03/2025", "premier mars deux mille vingt-cinq"),
        ("es", "02/03/2025", "dos de marzo de dos mil veinticinco"),
        ("pt", "01/03/2025", "primeiro de março de dois mil e vinte e cinco"),
    ],
)
def test_dates_are_read_as_people_say_them(language: str, written: str, spoken: str) -> None:
    assert_read(language, written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("AB12345", "A B, one two three four five"),
        ("LH-4821-B", "L H, four eight two one, B"),
        ("4111 1111 1111 1111", ", ".join(["four one one one", *["one one one one"] * 3])),
        ("#48213", "number four eight two one three"),
        ("your PIN is 4821", "your PIN is four eight two one"),
        ("call 911", "call nine one one"),
        ("the code is AB-12-CD", "the code is A B, one two, C D"),
        ("the code is 12AB", "the code is one two, A B"),
        ("K7QX2P", "K, seven, Q X, two, P"),
        ("Austin, TX 78701", "Austin, TX seven eight seven zero one"),
        ("zip code 94103-1234", "zip code nine four one zero three, one two three four"),
        ("sort code 12-34-56", "sort code one two, three four, five six"),
        (
            "number 9400 1000 0000 0000 0000 00",
            "number nine four zero zero, one zero zero zero, " + "zero zero zero zero, " * 3 + "zero zero",
        ),
        ("the booking number: 7720", "the booking number: seven seven two zero"),
        ("007", "zero zero seven"),
    ],
)
def test_identifiers_are_spelled(written: str, spoken: str) -> None:
    assert_read("en", written, spoken)


def test_dot_of_a_half_of_the_day_ends_a_sentence_if_the_next_one_begins() -> None:
    assert numbers_as_words("at 9 a.m. We", "en") == "at nine AM. We"
    assert numbers_as_words("at 9 a.m. on", "en") == "at nine AM on"
    assert numbers_as_words("at 9 a.m. ", "en", following="o") == "at nine AM "
    assert numbers_as_words("at 9 a.m. ", "en", following="W") == "at nine AM. "
    assert numbers_as_words("at 9 a.m.", "en") == "at nine AM."


def test_german_date_without_a_year_needs_an_article() -> None:
    assert numbers_as_words("Am 3.1.", "de") == "Am dritten Januar."
    assert numbers_as_words("bis 31.12. um neun", "de") == "bis einunddreißigsten Dezember um neun"
    assert numbers_as_words("Kapitel 3.1. lesen", "de") == "Kapitel 3.1. lesen"


def test_name_of_an_identifier_may_be_in_the_text_before() -> None:
    assert numbers_as_words("4821", "en", "Your order number is ") == "four eight two one"
    assert numbers_as_words("4821", "en", "It was built by ") == "4821"


@pytest.mark.parametrize(
    "text",
    [
        "45 minutes",
        "1,234 people",
        "in 1995",
        "3.14159265",
        "COVID-19",
        "24/7",
        "100%",
        "iPhone 15",
        "12345 visitors",
        "1.5",
        "500MB",
        "the phone costs 899",
        "an order of 150 pieces",
        "2:01:09",
        "1:30:30 of film",
        "5000000 people",
        "call 24-48 hours before",
        "by 12345-12346",
    ],
)
def test_other_numbers_are_left_to_the_voice(text: str) -> None:
    assert_read("en", text, text)


def test_language_without_rules_keeps_its_numbers() -> None:
    assert numbers_as_words("$7667.47 4155550123", "ja") == "$7667.47 4155550123"
