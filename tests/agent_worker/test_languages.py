"""Every language tag is accepted and passed on as each provider wants it; phrases and voice follow the caller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import AgentSession
from pydantic import ValidationError

from agent_worker.core.language_tag import canonical_tag
from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.callers_language import CallersLanguage
from agent_worker.preresponse.factory import build_agent
from agent_worker.preresponse.phrases import PhraseBook, built_in_languages
from agent_worker.providers.cloud import build_stack
from agent_worker.providers.languages import deepgram_language, flux_hints, whisper_language
from agent_worker.providers.self_hosted import build_stack as build_self_hosted
from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedSTT, ScriptedTTS, SilentMicrophone
from agent_worker.text import messages
from agent_worker.text.language import base_language
from tests.waiting import until

LIVEKIT = {"livekit_url": "ws://localhost:7880", "livekit_api_key": "devkey", "livekit_api_secret": "secret"}
KEYS = {"groq_api_key": "k", "deepgram_api_key": "k", "openai_api_key": "k"}


def cloud(**options: Any) -> CloudSettings:
    return CloudSettings(**{**LIVEKIT, **KEYS, **options})


def self_hosted(**options: Any) -> SelfHostedSettings:
    return SelfHostedSettings(**{**LIVEKIT, **options})


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "en"),
        ("EN-us", "en-US"),
        ("pt_br", "pt-BR"),
        ("multi", "multi"),
        ("es-419", "es-419"),
        ("zh-hans", "zh-Hans"),
        ("fil", "fil"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("cmn-Hans-CN", "cmn-Hans-CN"),
        ("zh-yue-hk", "zh-yue-HK"),
        ("de-CH-1996", "de-CH-1996"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("ca-ES-valencia", "ca-ES-valencia"),
        ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
        ("en-x-museum", "en-x-museum"),
    ],
)
def test_language_tags_are_accepted_in_any_case(tag: str, expected: str) -> None:
    assert cloud(language=tag).language == canonical_tag(tag) == expected


@pytest.mark.parametrize("tag", ["english", "e", "en-", "en--US", "en US", "de-DEU1", "x-private", "1234", "en-US-"])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError, match="BCP 47"):
        cloud(language=tag)


@pytest.mark.parametrize(
    ("tag", "deepgram", "whisper"),
    [
        ("en", "en", "en"),
        ("en-US", "en-US", "en"),
        ("en-ZA", "en", "en"),
        ("es-419", "es-419", "es"),
        ("es-MX", "es-419", "es"),
        ("es-ES", "es", "es"),
        ("zh-Hans", "zh-Hans", "zh"),
        ("zh-Hant-HK", "zh-HK", "zh"),
        ("zh-Hans-SG", "zh-Hans", "zh"),
        ("cmn-Hant-TW", "zh-TW", "zh"),
        ("fil", "tl", "tl"),
        ("fil-PH", "tl", "tl"),
        ("nb-NO", "no", "no"),
        ("de-AT", "de", "de"),
        ("de-CH-1996", "de-CH", "de"),
        ("pt-BR", "pt-BR", "pt"),
        ("multi", "multi", None),
        ("sw", "sw", "sw"),  # Deepgram does not list it: it says so itself
        ("eu-ES", "eu-ES", "eu"),
        ("tlh", "tlh", None),  # Whisper finds the language
    ],
)
def test_tag_is_passed_on_as_each_provider_wants_it(tag: str, deepgram: str, whisper: str | None) -> None:
    assert deepgram_language(tag, "nova-3") == deepgram
    assert whisper_language(tag) == whisper
    assert build_stack(cloud(language=tag)).stt._opts.language == deepgram  # type: ignore[attr-defined]


def test_other_deepgram_models_get_the_tag_itself() -> None:
    assert deepgram_language("zh-Hant-HK", "nova-2-general") == "zh-Hant-HK"
    assert deepgram_language("multi", "nova-2") == "multi"


@pytest.mark.parametrize(("tag", "hints"), [("pt-BR", ["pt"]), ("ja", ["ja"]), ("multi", []), ("fil", [])])
def test_multilingual_flux_gets_hints(tag: str, hints: list[str]) -> None:
    assert flux_hints(tag) == hints
    recogniser: Any = build_stack(cloud(language=tag, deepgram_model="flux-general-multi")).stt
    assert recogniser._opts.language_hint == hints


def test_english_flux_is_refused_for_another_language() -> None:
    assert cloud(language="en-GB", deepgram_model="flux-general-en")
    for tag in ("de", "multi", "fil"):
        with pytest.raises(ValidationError, match="understands English only"):
            cloud(language=tag, deepgram_model="flux-general-en")


@pytest.mark.parametrize(("tag", "base"), [("es-419", "es"), ("ger", "de"), ("zh-Hans", "zh"), ("multi", "multi")])
def test_base_language(tag: str, base: str) -> None:
    assert base_language(tag) == base


def test_tag_of_a_variant_has_the_phrases_of_its_base_language() -> None:
    assert PhraseBook.load("es-419").all() == PhraseBook.load("es").all() != []
    assert messages.apology("es-419") == messages.apology("es") != ""


@pytest.mark.parametrize("tag", ["ja", "zh-Hans", "fil", "multi"])
def test_language_without_texts_is_silent_and_not_english(tag: str) -> None:
    assert not any(
        text(tag) for text in (messages.apology, messages.farewell, messages.backchannel, messages.tool_timeout)
    )
    agent = PreResponseAgent(instructions="You help.", language=tag)
    assert not agent.apology
    assert tag == "multi" or agent.fixed_texts == []


def test_agent_for_every_language_prepares_the_texts_of_all() -> None:
    texts = PreResponseAgent(instructions="You help.", language="multi").fixed_texts
    for language in built_in_languages():
        assert {messages.apology(language), *PhraseBook.load(language).all()} <= set(texts)


def test_language_is_the_one_that_was_recognised_and_a_short_word_does_not_change_it() -> None:
    language = CallersLanguage("multi")
    assert language.phrases.all() == []
    assert language.hear("Sí.", "es") == "es"
    assert language.phrases.language == "es"
    assert language.hear("Okay.", "en") is None
    assert language.hear("Können Sie mir helfen?", "de") == "de"
    assert language.hear("Noch einmal bitte, langsam.", "de") is None
    assert language.hear("もう一度お願いできますか。", "ja") == "ja"
    assert language.phrases.all() == []
    assert language.hear("Whatever it was.", "") is None


def test_language_that_is_set_does_not_change() -> None:
    language = CallersLanguage("en")
    assert language.hear("Können Sie mir helfen?", "de") is None
    assert language.phrases.language == "en"


@pytest.mark.parametrize(
    ("heard", "question"),
    [
        ("de", "Wann macht das Museum morgen auf?"),
        ("es-419", "¿A qué hora abre el museo mañana?"),
        ("fr", "À quelle heure ouvre le musée demain ?"),
    ],
)
async def test_phrases_and_voice_follow_the_caller(heard: str, question: str) -> None:
    voice, ears = ScriptedTTS(), ScriptedSTT()
    stack = build_self_hosted(self_hosted(language="multi", voices="de=anna, es=ef_dora,fr=ff_siwis"))
    assert stack.voices is not None
    settings = self_hosted(language="multi", voices="de=anna,es=ef_dora,fr=ff_siwis", filler_delay=0)
    agent = build_agent(stack, settings)
    changed: list[str] = []
    agent.events.on("language_changed", changed.append)
    agent.phrase_audio = None
    async with AgentSession[Any](
        stt=ears, llm=ScriptedLLM("Um neun."), tts=voice, vad=None, turn_handling={"turn_detection": "stt"}
    ) as session:
        session.output.audio = ManualAudioOutput(automatic=True)
        session.input.audio = SilentMicrophone()
        await session.start(agent)
        ears.language = heard
        ears.say(question)
        await until(lambda: voice.texts)
    assert changed == [heard]
    assert agent.apology == messages.apology(heard)
    assert agent.phrases.all() == PhraseBook.load(heard).all()
    tts: Any = stack.tts
    assert tts._opts.voice == {"de": "anna", "es": "ef_dora", "fr": "ff_siwis"}[base_language(heard)]


async def test_language_without_a_voice_of_its_own_is_spoken_by_the_stacks_voice() -> None:
    stack = build_stack(cloud(language="multi", voices="de=nova"))
    assert stack.voices is not None
    tts: Any = stack.tts
    stack.voices.use("de-AT")
    assert (tts._opts.voice, stack.voices.identity("de")) == ("nova", "gpt-4o-mini-tts nova")
    stack.voices.use("ja")
    assert tts._opts.voice == "ash"


def test_phrases_of_one_language_are_refused_for_all_languages(tmp_path: Path) -> None:
    path = tmp_path / "phrases.json"
    path.write_text(json.dumps({"question": ["Hm."]}))
    with pytest.raises(ValidationError, match="PRERESPONSE_PHRASES"):
        cloud(language="multi", preresponse_phrases=path)
    with pytest.raises(ValidationError, match="VOICES is for LANGUAGE=multi"):
        cloud(language="de", voices="de=nova")
    with pytest.raises(ValidationError, match="list of languages and voices"):
        cloud(language="multi", voices="nova")
