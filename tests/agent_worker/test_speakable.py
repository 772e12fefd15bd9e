from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import AgentSession, llm

from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedTTS
from agent_worker.text.speakable import Speakable, speakable, spoken_text

OPENS = "It opens at nine."


def in_pieces(text: str, language: str, size: int) -> str:
    stream = Speakable(language)
    pieces = [stream.push(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(pieces) + stream.flush()


def assert_spoken(written: str, spoken: str, language: str = "en") -> None:
    assert spoken_text(written, language) == spoken
    assert {in_pieces(written, language, size) for size in (1, 2, 3, 7)} == {spoken}


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        (
            "en",
            '*a long sigh* It opens at nine. (pauses) [laughs] <break time="1s"/> Come early.',
            "It opens at nine. Come early.",
        ),
        ("en", "_clears throat_ It opens at nine. *adjusts glasses* Come early.", "It opens at nine. Come early."),
        ("en", "Well (laughs softly), it opens at nine. **[pause for effect]** Yes.", "Well, it opens at nine. Yes."),
        ("de", "*seufzt* Wir öffnen um neun. (lacht leise) [Pause] Kommen Sie.", "Wir öffnen um neun. Kommen Sie."),
        ("de", "(räuspert sich) Gern. *tippt auf der Tastatur* Gefunden.", "Gern. Gefunden."),
        ("fr", "*soupire* Nous ouvrons à neuf heures. (rires) Venez tôt.", "Nous ouvrons à neuf heures. Venez tôt."),
        ("fr", "[se racle la gorge] Oui. (une longue pause) Voilà.", "Oui. Voilà."),
        ("es", "*suspira* Abrimos a las nueve. (risas) ¡Venga pronto!", "Abrimos a las nueve. ¡Venga pronto!"),
        ("es", "(hace una pausa) Claro. [riendo] Sí.", "Claro. Sí."),
        ("en", "[PAUSE 2s] It opens at nine. (pauses for 2 seconds) Come early.", "It opens at nine. Come early."),
        ("en", "It opens at nine. [silence: 1.5 seconds] (pause 500ms)", OPENS),
        ("de", "(Pause von 2 Sekunden) Wir öffnen um neun.", "Wir öffnen um neun."),
        ("pt", "*suspira* Abrimos às nove. (risos) Venha cedo.", "Abrimos às nove. Venha cedo."),
        ("pt", "[limpa a garganta] Claro. (uma pausa breve) Sim.", "Claro. Sim."),
    ],
)
def test_stage_directions_are_silent(language: str, written: str, spoken: str) -> None:
    assert_spoken(written, spoken, language)


@pytest.mark.parametrize(
    "text",
    [
        "One moment, please. The lines are open.",
        "Hello, world! That is what it prints.",
        "Definitely. Maybe is a film.",
        "The museum (open until five) is free.",
        "We open at nine. (Closed on public holidays.)",
        'He said: "Yes!" and left, didn\'t he?',
        "AT&T and R&D",
        "Wait... what?",
        "It's 50% off, 20°C outside.",
        "z. B. morgen",
        "¿Cómo está? ¡Bien!",
        "你好。今天开放。",
        "C++ and a/b tests, f(x).",
        "Wait: closed (music, food) (Note: I am an AI.)",
    ],
)
def test_plain_sentences_are_spoken_as_they_are(text: str) -> None:
    assert_spoken(text, text)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("I *really* mean it, **now**.", "I really mean it, now."),
        ("*The Louvre* opens ~~at ten~~ at nine [1].", "The Louvre opens at nine."),
        ("*It opens at nine.*", OPENS),
        ("* **Sunday:** *closed*\n* Monday: _open_", "Sunday: closed. Monday: open."),
        ("We have *music* tonight. *always* free. *nine* it is.", "We have music tonight. always free. nine it is."),
        ("# Hours\nWe open at nine", "Hours. We open at nine"),
        ("- tea\n- coffee\n\nBye", "tea. coffee. Bye"),
        ("> It opens at nine.", OPENS),
        ("---\nIt opens at nine.\n***", OPENS),
        ("See [our site](https://louvre.fr/x?y=1) or ![a map](map.png).", "See our site or a map."),
        ("Call `open_door`, or **`snake_case`**.", "Call open door, or snake case."),
        ("```python\nprint('Hello')\n```\nThat is what it prints.", "That is what it prints."),
        ("It opens.\n```\nnever closed", "It opens."),
        ("It opens.\\nline two\\n\\nNine.", "It opens. line two. Nine."),
    ],
)
def test_markdown_is_read_without_its_marks(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is &amp; <br> <b>bold</b>er, isn&#39;t it?", "It is and bolder, isn't it?"),
        ("<p>It opens at nine</p><p>Come early.</p>", "It opens at nine. Come early."),
        ('<speak><prosody rate="slow">It opens</prosody> <emotion value="happy"/> at nine.</speak>', OPENS),
        ("<!-- a note -->It opens at nine.<script>run()</script>", OPENS),
        ("&lt;break/&gt;It opens&nbsp;at nine.", OPENS),
        ("x < 3 and y > 2", "x less than 3 and y greater than 2"),
        ("It opens at nine.<|im_end|>", OPENS),
        ("Fish&chips, salt&pepper, fish&chips", "Fish&chips, salt&pepper, fish&chips"),
    ],
)
def test_tags_and_entities_are_silent(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


@pytest.mark.parametrize(
    "written",
    [
        '<function=opening_time>{"day": "monday"}</function>',
        '<|python_tag|>{"name": "opening_time", "parameters": {"day": "monday"}}',
        '<tool_call>\n{"name": "opening_time", "arguments": {}}\n</tool_call>',
        "<|tool▁calls▁begin|>function<|tool▁sep|>opening_time<|tool▁calls▁end|>".replace("|", "\uff5c"),
        '<|channel|>commentary to=functions.opening_time<|message|>{"day": 1}<|call|>',
        '{"name": "opening_time", "arguments": {"day": "monday"}}',
        "<think>The user wants to know",
        "🎉",
        "---",
        "* * *",
        "\u200b\u200b",
        "!",
        "👨‍👩‍👧 🇫🇷 1️⃣".replace("1", ""),
        "*sighs* (pauses)",
        '<break time="1',
        "*sighs deeply",
        "(laughs",
    ],
)
def test_nothing_is_spoken_of_what_is_no_speech(written: str) -> None:
    assert_spoken(written, "")


@pytest.mark.parametrize(
    "rest",
    [
        "<|endoftext|>Human: Thanks!\n<|im_start|>assistant\nWelcome.",
        "<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>",
        "<end_of_turn>\n<start_of_turn>user\nThanks!<end_of_turn>",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nThanks!<|eot_id|>",
        "<|end|><|user|>Thanks!<|end|>",
        "<|end▁of▁sentence|>Thanks!".replace("|", "\uff5c"),
    ],
)
def test_what_a_model_makes_the_caller_say_is_silent(rest: str) -> None:
    assert_spoken(OPENS + rest, OPENS)


def test_answer_goes_on_in_another_message_of_the_model() -> None:
    assert_spoken(f"<|im_start|>user\nHi<|im_end|><|im_start|>assistant\n{OPENS}<|im_end|>", OPENS)
    assert_spoken(f"<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n{OPENS}", OPENS)
    assert_spoken(f"<|user|>Hi<|assistant|>{OPENS}", OPENS)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (">$50 is fine.", "greater than fifty dollars is fine."),
        ("It costs ~$50.", "It costs about fifty dollars."),
        (">50 people, ~ 20 of them tall.", "greater than 50 people, about 20 of them tall."),
    ],
)
def test_mark_in_front_of_a_number_is_a_word(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


def test_language_without_words_keeps_what_a_voice_may_read() -> None:
    assert_spoken("**Tom** & Jerry 🎉 a@b.it $5", "Tom & Jerry a@b.it $5", "it")


def test_json_is_read_by_its_text() -> None:
    assert_spoken('{"answer": "It opens at *nine*.", "confidence": 0.9}', OPENS)
    assert_spoken('[{"text": "It opens at nine."}]', OPENS)
    assert_spoken("{'answer': 'It opens at nine.'}", OPENS)
    assert_spoken('Sure! {"answer": "It opens at nine."} Come.', f"Sure! {OPENS} Come.")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ('```json\n{"answer": "It opens at nine."}\n```', OPENS),
        ('```\n{\n  "response": "It opens at nine.",\n  "confidence": 0.9\n}\n```\nBye.', f"{OPENS} Bye."),
        ('~~~json\n[{"text": "It opens at nine.\\nBye."}]\n~~~', f"{OPENS} Bye."),
        ('Sure!\n```json\n{"message": "It opens at nine."}\n```', f"Sure! {OPENS}"),
    ],
)
def test_json_in_a_block_is_read_by_its_text(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ('Your booking:\n```json\n{"date": "Friday", "party_size": 2}\n```\nFine?', "date Friday, party size 2. Fine?"),
        ('Your room: {"roomType": "double", "extras": ["sauna", "tea"]}', "room type double, extras sauna, tea."),
        ('Your order: {"item": "tea", "price": 12.50}', "item tea, price 12.50."),
        ('**Result:** {"total": 12.5, "currency": "euros"}', "total 12.5, currency euros."),
    ],
)
def test_values_that_words_announce_are_told(written: str, spoken: str) -> None:
    assert spoken_text(written, "en", numbers=False).endswith(f": {spoken}")


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"day": "monday"}\n```',
        '```json\n["a", "b"]\n```',
        '```json\n{"answer": "It opens',
        '```python\nprint({"answer": "It opens."})\n```',
        '```json\n{"name": "book", "arguments": {"text": "x"}}\n```',
    ],
)
def test_other_blocks_are_silent(written: str) -> None:
    assert_spoken(written, "")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ('Let me check. {"day": "monday"}', "Let me check."),
        ('Done: {"ok": true}', "Done:"),
        ('Look: {"function": "book", "seats": 2}', "Look:"),
        ('It opens at nine. {"sources": ["a"], "confidence": 0.9}', OPENS),
        ("Here it is: {'days': {'monday': 9}}, as you see.", "Here it is: as you see."),
        ('See [{"a": 1}, {"b": 2}]. Come early.', "See. Come early."),
        ('It opens {"at": "nine', "It opens"),
        ('The sign "{" is a bracket. {x} too.', "The sign is a bracket. x too."),
    ],
)
def test_json_between_words_is_silent(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


@pytest.mark.parametrize(
    ("language", "address", "spoken"),
    [
        ("en", "info@louvre.fr", "info at louvre dot F R"),
        ("en", "john.smith_2@example.co.uk", "john dot smith underscore 2 at example dot co dot U K"),
        ("en", "https://www.example.com/en/visit?id=77#top", "example dot com"),
        ("en", "example.com/tickets", "example dot com slash tickets"),
        ("de", "info@louvre.fr", "info at louvre Punkt F R"),
        ("fr", "info@mon-musee.com", "info arobase mon tiret musee point com"),
        ("es", "info@museo.es", "info arroba museo punto es"),
        ("pt", "www.museu.com", "museu ponto com"),
    ],
)
def test_addresses_are_read_as_people_say_them(language: str, address: str, spoken: str) -> None:
    for before, behind in (("X ", "."), ("", ""), ("X <", ">."), ("X (", ")!")):
        written = spoken_text(before + address + behind, language, numbers=False)
        assert spoken in written
        assert "@" not in written
        assert "http" not in written


@pytest.mark.parametrize(
    ("language", "formula", "spoken"),
    [
        ("en", r"\( x^2 \)", "x squared"),
        ("en", r"\[ \frac{a}{b} \times \sqrt{c} \]", "a over b times the square root of c"),
        ("en", "$a_1 + b^{10}$", "a 1 plus b to the power of 10"),
        ("de", r"$$x^2 = 4$$", "x Quadrat gleich 4"),
        ("fr", r"\(\alpha \leq 3\)", "alpha au plus 3"),
        ("es", r"\( x^3 - 1 \)", "x al cubo menos 1"),
        ("pt", r"\(a \cdot b\)", "a vezes b"),
    ],
)
def test_formulas_are_words(language: str, formula: str, spoken: str) -> None:
    assert_spoken(f"X {formula}.", f"X {spoken}.", language)


def test_table_is_read_row_by_row_with_the_names_of_its_columns() -> None:
    table = "| Day | Opens | Closes |\n|:--|--:|---|\n| Monday | nine | five |\n| Tuesday | ten | |\nSee you!"
    assert_spoken(table, "Monday: Opens nine, Closes five. Tuesday: Opens ten. See you!")
    assert_spoken("| Monday | nine |", "Monday, nine.")
    assert_spoken("Day | Opens\n--- | :---:\nMonday | nine", "Day, Opens. Monday, nine.")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "Here are three museums:\n\n1. **Louvre** – open\n2. Orsay\n3. Pompidou is closed.",
            "Here are three museums: 1: Louvre – open. 2: Orsay. 3: Pompidou is closed.",
        ),
        ("The steps: 1. Open it. 2. Read it.", "The steps: 1: Open it. 2: Read it."),
        ("1) Tea 2) Coffee", "1: Tea 2: Coffee."),
        ("1.First\n2.Second", "1: First. 2: Second."),
        ("**1.**Louvre\n**2.** Orsay", "1: Louvre. 2: Orsay."),
        ("1.5 hours, 2.50 each", "1.5 hours, 2.50 each"),
    ],
)
def test_number_of_an_item_stays_with_it(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)


def test_date_at_the_beginning_of_a_line_is_no_item() -> None:
    assert_spoken("1. Mai ist frei.", "erster Mai ist frei.", "de")
    assert_spoken("1. Tee ist frei", "1: Tee ist frei.", "de")


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en", "It opens at nine.It closes at five.", "It opens at nine. It closes at five."),
        ("en", "Is it open?Yes!Come in,please.", "Is it open? Yes! Come in, please."),
        ("de", "Um neun.Über Mittag nicht.", "Um neun. Über Mittag nicht."),
        ("es", "Abre a las nueve.¿Viene?", "Abre a las nueve. ¿Viene?"),
        ("en", "The U.S.A. and Node.js", "The U.S.A. and Node.js"),
        ("en", "It opens at 9.It closes at 5.", "It opens at 9. It closes at 5."),
        ("en", "It costs $5.It is cheap.", "It costs five dollars. It is cheap."),
        ("en", "At 9:05.Then version 2.0.Then", "At nine oh five. Then version 2.0.Then"),
    ],
)
def test_sentences_without_a_space_are_two(language: str, written: str, spoken: str) -> None:
    assert_spoken(written, spoken, language)


@pytest.mark.parametrize("end", ["🎉!", " 🎉 !", " :-)", "\n\n---", " *smiles*", " <3"])
def test_nothing_follows_the_last_word_but_its_mark(end: str) -> None:
    assert_spoken(OPENS + end, OPENS)


def test_plain_words_are_passed_on_at_once() -> None:
    stream = Speakable("en")
    assert stream.push("It opens at nine in ") == "It opens at nine"
    assert stream.push("the") == " in"


@pytest.mark.parametrize(
    ("pieces", "has_words"),
    [
        (["It"], True),
        (["9"], True),
        (["🎉 ", "**", "O"], False),
        (["🎉 ", "**", "Open**", " now"], True),
        (["*sighs", "*"], False),
        (['{"answer": "It', " opens"], False),
        (["```\nopen"], False),
        (["<b>", "\n- ", "Open"], True),
    ],
)
def test_stream_tells_when_it_is_certain_that_something_is_spoken(pieces: list[str], has_words: bool) -> None:
    stream = Speakable("en")
    for piece in pieces:
        stream.push(piece)
    assert stream.has_words is has_words


async def test_stream_without_words_yields_nothing() -> None:
    async def text() -> AsyncIterator[str]:
        yield "🎉"
        yield " *"
        yield "* *"

    assert [piece async for piece in speakable(text(), "en")] == []


async def voiced(*pieces: str, **options: Any) -> tuple[str, str]:
    """Run a turn and return what the voice was given, and the answer in the history."""
    voice = ScriptedTTS()
    agent = PreResponseAgent(instructions="You help.", strategy="off", **options)
    async with AgentSession[Any](llm=ScriptedLLM(*pieces), tts=voice, vad=None) as session:
        session.output.audio = ManualAudioOutput(automatic=True)
        await session.start(agent)
        await session.run(user_input="What time does the museum open?")
        reply = session.history.items[-1]
        assert isinstance(reply, llm.ChatMessage)
        return " ".join("".join(voice.texts).split()), reply.text_content or ""


@pytest.mark.parametrize(
    ("pieces", "spoken"),
    [
        (
            ("*a long", " sigh* It opens at ", "nine. (pau", "ses) Come <b", "reak/> early."),
            "It opens at nine. Come early.",
        ),
        (("1. **Lou", "vre** – open\n2", ". Orsay"), "1: Louvre – open. 2: Orsay."),
        (
            ("Call (415) 5", "55-0123 at 09:0", "8 AM."),
            "Call four one five, five five five, zero one two three at nine oh eight AM.",
        ),
    ],
)
async def test_voice_gets_words_and_the_history_keeps_what_the_model_wrote(
    pieces: tuple[str, ...], spoken: str
) -> None:
    assert await voiced(*pieces) == (spoken, "".join(pieces))


async def test_numbers_are_left_to_a_voice_that_reads_them_well() -> None:
    assert (await voiced("Call (415) ", "555-0123, **now**.", numbers_as_words=False))[0] == "Call (415) 555-0123, now."


async def test_own_transforms_of_the_text_for_the_voice_stay() -> None:
    async def louder(text: AsyncIterator[str]) -> AsyncIterator[str]:
        async for piece in text:
            yield piece.upper()

    session = AgentSession[Any](llm=ScriptedLLM(OPENS), vad=None, tts_text_transforms=["filter_emoji", louder])
    async with session:
        await session.start(PreResponseAgent(instructions="You help.", strategy="off"))
        assert session.options.tts_text_transforms == [louder]
