"""Transcripts of sounds without words are told from words, in all languages."""

from __future__ import annotations

import pytest
from livekit.agents import LanguageCode, stt

from agent_worker.text.agent_question import asks
from agent_worker.text.spoken_words import Invention, has_words, invention, without_annotations
from agent_worker.turn_taking.loudness import Sound, last_sound, quiet_s
from agent_worker.turn_taking.wordless import Evidence, Wordless, WordlessFilter, why_wordless

LOUD = Sound(level_dbfs=-22, over_noise_db=35, seconds=1.0)
QUIET = Sound(level_dbfs=-48, over_noise_db=8, seconds=1.0)
QUESTION = "What did the lady say at the end?"

NOISES = [
    "[BLANK_AUDIO]",
    "(coughs)",
    "[MUSIC PLAYING]",
    "*sighs*",
    "<noise>",
    "♪ ♪",
    "♪ hello from the other side ♪",
    "(upbeat music) [inaudible]",
    "[MUSIC PLAYING 0:12]",
    "[upbeat mus",
    "(hold music",
    "playing] [MUSIC]",
    "\uff08音楽\uff09",
    "【拍手】 ♪",
    "♪ hello from the other side",
    "♬~",
    "🎼 🎶",
    "...",
    "…",
    "- -",
    ".",
]


@pytest.mark.parametrize("text", NOISES)
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "nl"])
def test_descriptions_of_sounds_hold_no_words(text: str, language: str) -> None:
    assert why_wordless(without_annotations(text), Evidence(LOUD), language, QUESTION) is Wordless.NO_WORDS


@pytest.mark.parametrize(
    ("language", "texts"),
    {
        "en": ["Um.", "Uhh", "Hmm.", "Ahem.", "Haha.", "Ah-choo!", "Pfft.", "Oof", "Ahh... hmm", "heh heh"],
        "de": ["Ähm.", "Öh", "Hm.", "Hatschi!", "Uff.", "Hihi"],
        "fr": ["Euh...", "Heu", "Hum.", "Atchoum !", "Ouf."],
        "es": ["Eh.", "Ehm...", "Hmm", "Jajaja.", "¡Achís!", "Uf."],
        "pt": ["Hum.", "Ah.", "Kkkk", "Rsrs", "Atchim!", "Ufa."],
    }.items(),
)
def test_breath_laughter_and_hesitation_are_no_words(language: str, texts: list[str]) -> None:
    assert [text for text in texts if has_words(text, language)] == []


@pytest.mark.parametrize(
    ("language", "texts"),
    {
        "en": [
            "No.",
            "Mm-hmm.",
            "Uh-huh.",
            "Mhm",
            "Hm?",
            "Oh no.",
            "Ah, okay.",
            "Shh!",
            "Huh?",
            "Um, at nine.",
            "9",
            "Hi.",
        ],
        "de": ["Halt!", "Mhm.", "Na ja.", "Ach so.", "Hm?", "Ähm, um neun."],
        "fr": ["Ah oui.", "Ben non.", "Oh là là.", "Euh, demain."],
        "es": ["Ya.", "Ah, sí.", "Eh, mañana.", "¿Eh?"],
        "pt": ["É.", "Ah sim.", "Hum, amanhã.", "Oi."],
        "nl": ["Ja."],
    }.items(),
)
def test_short_words_are_words(language: str, texts: list[str]) -> None:
    assert [text for text in texts if not has_words(text, language)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(coughs) When do you open?", "When do you open?"),
        ("I'd like [inaudible] tickets", "I'd like tickets"),
        ("*clears throat* Hello.", "Hello."),
        ("Call me at (415) 555 0123", "Call me at (415) 555 0123"),
        ("[415] 555 0123", "[415] 555 0123"),
        ("♪ ♪ When do you open?", "When do you open?"),
        ("When do you open? ♪", "When do you open?"),
        ("3 * 4 * 5", "3 * 4 * 5"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
    ],
)
def test_words_beside_an_annotation_stay(text: str, words: str) -> None:
    assert without_annotations(text) == words


KNOWN = {
    "en": [
        "Thanks for watching!",
        "Subtitles by the Amara.org community",
        "Please like and subscribe.",
        "I'll see you in the next video.",
        "Thank you so much for listening.",
        "Transcribed by someone, somewhere",
        "Captions by CaptionWorks",
    ],
    "de": [
        "Untertitelung im Auftrag des ZDF für funk, 2017",
        "Vielen Dank fürs Zuschauen!",
        "Untertitel der Amara.org-Community",
        "Copyright WDR 2021",
        "Bis zum nächsten Mal.",
    ],
    "fr": [
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titrage ST' 501",
        "Merci d'avoir regardé cette vidéo !",
        "Abonnez-vous !",
        "Sous-titrage Société Radio-Canada",
    ],
    "es": [
        "Subtítulos realizados por la comunidad de Amara.org",
        "¡Gracias por ver el video!",
        "¡Suscríbete!",
        "Nos vemos en el próximo video.",
    ],
    "pt": [
        "Legendas pela comunidade Amara.org",
        "Obrigado por assistir!",
        "Inscreva-se no canal",
        "Transcrição e Legendas por Fulano",
    ],
}


@pytest.mark.parametrize(("language", "text"), [(language, text) for language in KNOWN for text in KNOWN[language]])
def test_known_invention_is_a_turn_only_if_it_is_loud_and_clear_and_may_answer_a_question(
    language: str, text: str
) -> None:
    spoken = Sound(LOUD.level_dbfs, LOUD.over_noise_db, seconds=len(text) / 15)
    assert why_wordless(text, Evidence(spoken), language, QUESTION) is None
    assert why_wordless(text, Evidence(spoken), language, "It opens at nine.") is Wordless.INVENTED
    quiet = Sound(QUIET.level_dbfs, QUIET.over_noise_db, seconds=len(text) / 15)
    assert why_wordless(text, Evidence(quiet), language, QUESTION) is Wordless.INVENTED
    assert why_wordless(text, Evidence(spoken, no_speech=0.7), language, QUESTION) is Wordless.INVENTED
    assert why_wordless(text, Evidence(), language, QUESTION) is Wordless.INVENTED
    assert why_wordless(text, Evidence(no_speech=0.02, confidence=0.9), language, QUESTION) is None


@pytest.mark.parametrize(
    "text",
    [
        "Soft piano music.",
        "Gentle and relaxing music continues",
        "Music fades out.",
        "Phone ringing.",
        "Dial tone.",
        "Sanfte Musik.",
        "Wartemusik läuft",
        "Das Telefon klingelt.",
        "Musique d'attente",
        "Musique douce.",
        "Música de espera.",
        "Suena la música",
        "Música suave",
        "Telefone tocando.",
    ],
)
def test_description_of_music_or_tones_is_no_turn_without_brackets_either(text: str) -> None:
    spoken = Sound(LOUD.level_dbfs, LOUD.over_noise_db, seconds=len(text) / 15)
    assert why_wordless(text, Evidence(spoken), "en", "It opens at nine.") is Wordless.INVENTED
    assert why_wordless(text, Evidence(), "en", QUESTION) is Wordless.INVENTED


@pytest.mark.parametrize(
    "text", ["I love your music.", "The music is too loud.", "Is there live music?", "My phone rings."]
)
def test_sentence_about_music_is_a_turn(text: str) -> None:
    assert why_wordless(text, Evidence(LOUD), "en", None) is None


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "nl"])
def test_known_invention_in_another_language_is_recognised(language: str) -> None:
    assert invention("Untertitel im Auftrag des ZDF", language) is Invention.KNOWN
    assert invention("Thank you for watching.", language) is Invention.KNOWN


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "you"),
        ("en", "Thank you."),
        ("en", "Bye. Bye bye."),
        ("en", "Okay."),
        ("de", "Vielen Dank."),
        ("de", "Tschüss."),
        ("fr", "Merci."),
        ("fr", "Au revoir."),
        ("es", "Gracias."),
        ("es", "Adiós."),
        ("pt", "Obrigado."),
        ("pt", "Tchau, tchau."),
    ],
)
def test_words_that_callers_say_too_are_dropped_only_if_something_speaks_against_them(language: str, text: str) -> None:
    short = Sound(LOUD.level_dbfs, LOUD.over_noise_db, seconds=0.5)
    assert why_wordless(text, Evidence(short), language, None) is None
    assert why_wordless(text, Evidence(), language, None) is None
    for doubt in (
        Evidence(Sound(-48, 8, 0.5)),
        Evidence(Sound(-36, 20, 0.5), voice_dbfs=-18),
        Evidence(short, no_speech=0.6),
        Evidence(short, confidence=0.2),
        Evidence(Sound(LOUD.level_dbfs, LOUD.over_noise_db, seconds=9.0)),
    ):
        assert why_wordless(text, doubt, language, None) is Wordless.INVENTED, doubt


def test_text_that_cannot_be_said_in_so_short_a_sound_is_an_invention() -> None:
    knock = Sound(LOUD.level_dbfs, LOUD.over_noise_db, seconds=0.2)
    assert why_wordless("Thank you for watching.", Evidence(knock), "en", QUESTION) is Wordless.INVENTED
    assert why_wordless("Thank you very much.", Evidence(knock), "en", QUESTION) is Wordless.INVENTED


@pytest.mark.parametrize("text", ["I'm leaving the house now.", "It's raining in Berlin.", "The cat is on the roof."])
def test_recognisers_own_doubt_decides_over_any_text(text: str) -> None:
    assert why_wordless(text, Evidence(LOUD, no_speech=0.7, log_probability=-1.3), "en", None) is Wordless.NO_SPEECH
    assert why_wordless(text, Evidence(QUIET, no_speech=0.85), "en", None) is Wordless.NO_SPEECH
    assert why_wordless(text, Evidence(LOUD, no_speech=0.85), "en", None) is None
    assert why_wordless(text, Evidence(LOUD, no_speech=0.7, log_probability=-0.4), "en", None) is None
    assert why_wordless(text, Evidence(QUIET), "en", None) is None  # a soft voice is a voice


@pytest.mark.parametrize(
    "text",
    [
        "Can you make subtitles by tomorrow?",
        "Thank you for watching my dog.",
        "I want to subscribe to the newsletter.",
        "Copy that.",
        "You said nine?",
        "See you next week then, on Tuesday.",
    ],
)
def test_sentence_that_only_resembles_an_invention_is_a_turn(text: str) -> None:
    assert why_wordless(text, Evidence(LOUD), "en", None) is None


@pytest.mark.parametrize(
    ("language", "agent_text", "expected"),
    [
        ("en", "Fine. What's your name?", True),
        ("en", "Please spell your name.", True),
        ("en", "It opens at nine.", False),
        ("de", "Gern. Wie heißen Sie?", True),
        ("fr", "Quel est votre nom ?", True),
        ("es", "¿Cómo se llama?", True),
        ("pt", "Está aberto.", False),
        ("en", None, False),
    ],
)
def test_question_of_the_agent_is_recognised(language: str, agent_text: str | None, expected: bool) -> None:
    assert asks(agent_text, language) is expected


def levels(*stretches: tuple[float, float]) -> list[float]:
    return [level for seconds, level in stretches for _ in range(round(seconds * 100))]


def test_last_sound_is_measured_over_the_noise_around_it() -> None:
    sound = last_sound(levels((2, -20), (2, -60), (0.5, -25), (0.3, -60), (0.5, -25), (1, -60)))
    assert sound == Sound(level_dbfs=-25, over_noise_db=35, seconds=1.0)


def test_silence_has_no_sound() -> None:
    assert last_sound([]).seconds == 0
    assert last_sound(levels((5, -70))).is_quiet(None)


def test_a_tone_is_no_quiet_however_steady_it_is() -> None:
    assert quiet_s([]) == quiet_s(levels((5, -60))) == float("inf")
    assert quiet_s(levels((3, -60), (0.5, -20))) == 0
    assert quiet_s(levels((3, -60), (0.5, -20), (1.5, -60))) == 1.5


def test_steady_noise_is_quiet_however_loud_it_is() -> None:
    assert last_sound(levels((9, -20))).is_quiet(None)


def transcript(text: str, **metadata: float) -> stt.SpeechData:
    return stt.SpeechData(language=LanguageCode("en"), text=text, confidence=0.0, metadata=dict(metadata))


def test_level_of_the_callers_voice_is_learned_from_turns() -> None:
    now = levels((2, -60), (0.5, -18), (0.5, -60))
    wordless = WordlessFilter("en", levels=lambda: now)
    assert wordless.voice_dbfs is None
    for _ in range(2):
        assert wordless.judge(transcript("I'd like two tickets."))[1] is None
    assert wordless.voice_dbfs == -18
    now = levels((2, -60), (0.5, -38), (0.5, -60))  # the television, in the same room
    assert wordless.judge(transcript("Thank you."))[1] is Wordless.INVENTED
    now = levels((2, -60), (0.5, -20), (0.5, -60))
    assert wordless.judge(transcript("Thank you."))[1] is None


def test_probabilities_of_the_recogniser_are_read_from_the_transcript() -> None:
    wordless = WordlessFilter("en")
    silence = transcript("So I went there.", no_speech_prob=0.9, avg_logprob=-1.5)
    assert wordless.judge(silence) == ("So I went there.", Wordless.NO_SPEECH)
    assert wordless.judge(transcript("So I went there.", no_speech_prob=0.9, avg_logprob=-0.3))[1] is None
