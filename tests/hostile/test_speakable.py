"""Whatever a model writes, and however it is cut into pieces, the voice gets words and nothing else."""

from __future__ import annotations

import codecs
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_worker.text.speakable import Speakable, spoken_text
from agent_worker.text.spoken_numbers import numbers_as_words
from tests.hostile.model_text import FRAGMENTS, HIDDEN, MODEL_PARTS, Part, written
from tests.hostile.strategies import ANY_TEXT

LANGUAGES = st.sampled_from(["en", "de", "fr", "es", "pt", "en-US", "ja"])
TEXTS = st.one_of(FRAGMENTS, MODEL_PARTS.map(written), ANY_TEXT)
MARKS = re.compile(r"[*_`~^#<>{}\\|=\[\]]")


def streamed(pieces: list[str], language: str) -> str:
    stream = Speakable(language)
    return "".join([stream.push(piece) for piece in pieces]) + stream.flush()


def assert_speakable(spoken: str) -> None:
    spoken.encode()
    assert not MARKS.search(spoken)
    categories = {unicodedata.category(character) for character in spoken if character != "°"}
    assert not categories & {"So", "Cs", "Co", "Cc", "Cn"}
    assert spoken == " ".join(spoken.split())
    assert not spoken or any(map(str.isalnum, spoken))


@given(TEXTS, LANGUAGES, st.data())
def test_text_in_any_pieces_is_spoken_like_the_whole(text: str, language: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert streamed(pieces, language) == spoken_text(text, language)


@given(TEXTS, LANGUAGES)
@example("1. **Louvre** – open\n2. It opens at nine.It closes.", "en")
@example('*a long sigh* It opens. (pauses) <break time="1s"/> Come.', "en")
def test_text_in_single_characters_is_spoken_like_the_whole(text: str, language: str) -> None:
    assert streamed(list(text), language) == spoken_text(text, language)


@given(TEXTS, LANGUAGES, st.integers(1, 7))
def test_text_cut_in_the_middle_of_a_character_is_spoken_like_the_whole(text: str, language: str, size: int) -> None:
    text = text.encode(errors="ignore").decode()
    decoder, data = codecs.getincrementaldecoder("utf-8")(), text.encode()
    pieces = [decoder.decode(data[start : start + size]) for start in range(0, len(data), size)]
    assert streamed(pieces, language) == spoken_text(text, language)


@given(TEXTS, LANGUAGES)
@example("&lt;b&gt;&#55357;&amp;amp;", "en")
def test_only_words_and_their_punctuation_are_spoken(text: str, language: str) -> None:
    assert_speakable(spoken_text(text, language))


@given(MODEL_PARTS, LANGUAGES)
def test_each_word_of_the_answer_is_spoken_once_and_in_order(parts: list[Part], language: str) -> None:
    heard = [word for part in parts for word in part.heard]
    assert re.findall(r"[^\W\d_]+", spoken_text(written(parts), language)) == heard


@given(MODEL_PARTS, st.integers(0, 2_000))
def test_nothing_hidden_is_spoken_of_an_answer_that_is_cut_off_anywhere(parts: list[Part], length: int) -> None:
    spoken = spoken_text(written(parts)[:length], "en")
    assert HIDDEN not in spoken
    assert_speakable(spoken)


@given(st.text(st.sampled_from("0123456789.,:;-–/()+#$€£ hAPMm%\n"), max_size=60), LANGUAGES)
@example("$" + "9" * 400, "en")
@example("99999999999999999999:99 AM 0/0/0000 (((0", "fr")
def test_numbers_of_any_shape_are_read(text: str, language: str) -> None:
    numbers_as_words(text, language, text)
    assert streamed(list(text), language) == spoken_text(text, language)


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "[a ",
        "*a ",
        "<",
        "<a ",
        "&am",
        '{"a":',
        "<!--",
        "`a ",
        "\n",
        "|a|\n",
        "- ",
        "$a",
        "\\(",
        "1 ",
        "9",
        "\\frac{",
    ],
)
def test_endless_marks_are_held_back_only_so_far(piece: str) -> None:
    stream, text = Speakable("en"), piece * 400
    passed = stream.push(text + "It is open now and for ever. " * 40)
    assert len(passed + stream.flush()) < 40_000
