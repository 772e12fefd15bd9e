"""The stack on services you run yourself: Ollama (Llama), speaches (Whisper), Kokoro (TTS)."""

from __future__ import annotations

from typing import Any

from livekit.agents import inference, llm

from agent_worker.core.settings import SelfHostedSettings
from agent_worker.providers.chat_stream import with_repaired_streams
from agent_worker.providers.optional_deps import require_extra
from agent_worker.providers.preflight import ProviderProbe
from agent_worker.providers.reasoning_effort import at_ollama
from agent_worker.providers.stack import FAST_REPLY_MAX_TOKENS, ProviderNames, StackDefinition, Voices, VoiceStack

with require_extra("self-hosted", extra="local"):
    from livekit.plugins import openai

    from agent_worker.providers.whisper_stt import WhisperSTT


def build_stack(settings: SelfHostedSettings) -> VoiceStack:
    """Return the self-hosted stack for one call."""
    # no language: Kokoro's voices have one each
    voice = openai.TTS(
        model=settings.kokoro_model,
        voice=settings.kokoro_voice,
        api_key=settings.kokoro_api_key.get_secret_value(),
        base_url=str(settings.kokoro_base_url),
        response_format="pcm",
    )
    return VoiceStack(
        # does not stream: one request for each utterance
        stt=WhisperSTT(
            model=settings.speaches_model,
            language=settings.language,
            api_key=settings.speaches_api_key.get_secret_value(),
            base_url=str(settings.speaches_base_url),
        ),
        # pre-response
        fast_llm=_build_llm(settings, settings.ollama_fast_model, FAST_REPLY_MAX_TOKENS),
        # answer
        main_llm=_build_llm(settings, settings.ollama_main_model, settings.answer_max_tokens),
        answering_fast_llm=_build_llm(settings, settings.ollama_fast_model, settings.answer_max_tokens),
        tts=voice,
        vad=inference.VAD(model="silero"),
        voice=f"{settings.kokoro_model} {settings.kokoro_voice}",
        provider_names=ProviderNames(stt="speaches", llm="ollama", tts="kokoro"),
        voices=Voices(
            settings.kokoro_model,
            settings.kokoro_voice,
            select=lambda name: voice.update_options(voice=name),
            by_language=settings.voices,
        ),
        prefill=True,
    )


def _build_llm(settings: SelfHostedSettings, model: str, max_tokens: int) -> llm.LLM[Any]:
    return with_repaired_streams(
        openai.LLM(
            model=model,
            api_key="ollama",
            base_url=str(settings.ollama_base_url),
            extra_body={"max_tokens": max_tokens},  # Ollama ignores `max_completion_tokens`
            **at_ollama(model, settings.reasoning_effort),
        )
    )


def provider_probes(settings: SelfHostedSettings) -> list[ProviderProbe]:
    """Return a probe for each provider."""
    return [
        ProviderProbe(
            name="Ollama",
            component="llm",
            url=f"{settings.ollama_base_url}/models",
            authorization="Bearer ollama",
            key_setting="OLLAMA_BASE_URL",
            unreachable_remedy="start it with `ollama serve` or set OLLAMA_BASE_URL",
            models=(
                ("OLLAMA_FAST_MODEL", settings.ollama_fast_model),
                ("OLLAMA_MAIN_MODEL", settings.ollama_main_model),
            ),
            missing_model_remedy="run `ollama pull {model}`",
        ),
        ProviderProbe(
            name="speaches",
            component="stt",
            url=f"{settings.speaches_base_url}/models",
            authorization=f"Bearer {settings.speaches_api_key.get_secret_value()}",
            key_setting="SPEACHES_API_KEY",
            unreachable_remedy="start it or set SPEACHES_BASE_URL",
            models=(("SPEACHES_MODEL", settings.speaches_model),),
            missing_model_remedy="run `uvx speaches-cli model download {model}`",
        ),
        ProviderProbe(
            name="Kokoro",
            component="tts",
            url=f"{settings.kokoro_base_url}/models",
            authorization=f"Bearer {settings.kokoro_api_key.get_secret_value()}",
            key_setting="KOKORO_API_KEY",
            unreachable_remedy="start it or set KOKORO_BASE_URL",
            models=(("KOKORO_MODEL", settings.kokoro_model),),
        ),
    ]


SELF_HOSTED = StackDefinition("self-hosted", SelfHostedSettings, build_stack, provider_probes)
