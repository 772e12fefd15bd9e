"""The cloud stack: Groq (Llama), Deepgram (STT), OpenAI (TTS)."""

from __future__ import annotations

from typing import Any

from livekit.agents import inference, llm, stt
from livekit.agents.types import NOT_GIVEN

from agent_worker.core.settings import CloudSettings
from agent_worker.providers.chat_stream import with_repaired_streams
from agent_worker.providers.languages import deepgram_language, flux_hints
from agent_worker.providers.optional_deps import require_extra
from agent_worker.providers.preflight import ProviderProbe
from agent_worker.providers.reasoning_effort import at_groq
from agent_worker.providers.stack import FAST_REPLY_MAX_TOKENS, ProviderNames, StackDefinition, Voices, VoiceStack

with require_extra("cloud", extra="cloud"):
    from livekit.plugins import deepgram, groq, openai

#: Of Flux: 0.3 to 0.9; lower is earlier and more often withdrawn.
_EAGER_END_THRESHOLD = 0.5


def build_stack(settings: CloudSettings) -> VoiceStack:
    """Return the cloud stack for one call."""
    # no language: the voices speak that of the text
    voice = openai.TTS(
        model=settings.openai_tts_model,
        voice=settings.openai_tts_voice,
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=str(settings.openai_base_url),
        response_format="pcm",
    )
    return VoiceStack(
        stt=_build_stt(settings),
        # pre-response
        fast_llm=_build_llm(settings, settings.groq_fast_model, FAST_REPLY_MAX_TOKENS),
        # answer
        main_llm=_build_llm(settings, settings.groq_main_model, settings.answer_max_tokens),
        answering_fast_llm=_build_llm(settings, settings.groq_fast_model, settings.answer_max_tokens),
        tts=voice,
        vad=inference.VAD(model="silero"),
        voice=f"{settings.openai_tts_model} {settings.openai_tts_voice}",
        provider_names=ProviderNames(stt="deepgram", llm="groq", tts="openai"),
        voices=Voices(
            settings.openai_tts_model,
            settings.openai_tts_voice,
            select=lambda name: voice.update_options(voice=name),
            by_language=settings.voices,
        ),
    )


def _build_llm(settings: CloudSettings, model: str, max_tokens: int) -> llm.LLM[Any]:
    return with_repaired_streams(
        groq.LLM(
            model=model,
            api_key=settings.groq_api_key.get_secret_value(),
            base_url=str(settings.groq_base_url),
            max_completion_tokens=max_tokens,
            **at_groq(model, settings.reasoning_effort),
        )
    )


def _build_stt(settings: CloudSettings) -> stt.STT[Any]:
    """Return the recogniser. Both stream: interim results while the caller speaks."""
    api_key, base_url = settings.deepgram_api_key.get_secret_value(), str(settings.deepgram_base_url)
    if settings.deepgram_model.startswith("flux"):
        hints = flux_hints(settings.language) if settings.deepgram_model == "flux-general-multi" else []
        return deepgram.STTv2(
            model=settings.deepgram_model,
            # An eager end lets the pre-response and the answer be prepared; they are spoken at the end of the turn.
            eager_eot_threshold=_EAGER_END_THRESHOLD,
            api_key=api_key,
            base_url=base_url.replace("/v1/", "/v2/"),
            language_hint=hints or NOT_GIVEN,
        )
    language = deepgram_language(settings.language, settings.deepgram_model)
    return deepgram.STT(model=settings.deepgram_model, language=language, api_key=api_key, base_url=base_url)


def provider_probes(settings: CloudSettings) -> list[ProviderProbe]:
    """Return a probe for each provider."""
    return [
        ProviderProbe(
            name="Groq",
            component="llm",
            url=f"{settings.groq_base_url}/models",
            authorization=f"Bearer {settings.groq_api_key.get_secret_value()}",
            key_setting="GROQ_API_KEY",
            unreachable_remedy="check GROQ_BASE_URL and the network",
            models=(
                ("GROQ_FAST_MODEL", settings.groq_fast_model),
                ("GROQ_MAIN_MODEL", settings.groq_main_model),
            ),
        ),
        ProviderProbe(
            name="Deepgram",
            component="stt",
            url=str(settings.deepgram_base_url).removesuffix("/listen") + "/projects",
            authorization=f"Token {settings.deepgram_api_key.get_secret_value()}",
            key_setting="DEEPGRAM_API_KEY",
            unreachable_remedy="check DEEPGRAM_BASE_URL and the network",
        ),
        ProviderProbe(
            name="OpenAI",
            component="tts",
            url=f"{settings.openai_base_url}/models",
            authorization=f"Bearer {settings.openai_api_key.get_secret_value()}",
            key_setting="OPENAI_API_KEY",
            unreachable_remedy="check OPENAI_BASE_URL and the network",
            models=(("OPENAI_TTS_MODEL", settings.openai_tts_model),),
        ),
    ]


CLOUD = StackDefinition("cloud", CloudSettings, build_stack, provider_probes)
