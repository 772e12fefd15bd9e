"""A worker with a custom stack: Cerebras (LLMs), Deepgram (STT), your own Kokoro (TTS).

    CEREBRAS_API_KEY=… DEEPGRAM_API_KEY=… python examples/my_stack.py

Install this project first (`pip install -e .`). The worker needs a LiveKit server, and Kokoro on its default port. It
has everything that the package's two stacks have: checks at the start, metrics, costs, the fallback model, every
setting of the conversation. docs/providers.md explains each part.
"""

from agent_worker import prepare

prepare()  # before livekit is imported

from livekit.agents import NOT_GIVEN, inference
from livekit.plugins import deepgram, openai
from pydantic import Field

from agent_worker import ProviderNames, ProviderProbe, Settings, StackDefinition, VoiceStack, run
from agent_worker.core.settings import HttpUrl, Secret, Text
from agent_worker.providers.chat_stream import with_repaired_streams
from agent_worker.providers.stack import FAST_REPLY_MAX_TOKENS


class MySettings(Settings):
    """The settings of this stack, in addition to those that all stacks share. A field without a default is required."""

    cerebras_api_key: Secret = Field(description="Create a key at https://cloud.cerebras.ai")
    cerebras_base_url: HttpUrl = "https://api.cerebras.ai/v1"
    cerebras_fast_model: Text = "gemma-4-31b"
    cerebras_main_model: Text = "gpt-oss-120b"

    deepgram_api_key: Secret = Field(description="Create a key at https://console.deepgram.com")
    deepgram_base_url: HttpUrl = "https://api.deepgram.com/v1/listen"

    kokoro_base_url: HttpUrl = "http://localhost:8880/v1"
    kokoro_voice: Text = "af_heart"


def build_stack(settings: MySettings) -> VoiceStack:
    """Return the stack for one call."""

    def cerebras(model: str, max_tokens: int) -> openai.LLM:
        client = openai.LLM(
            model=model,
            api_key=settings.cerebras_api_key.get_secret_value(),
            base_url=str(settings.cerebras_base_url),
            max_completion_tokens=max_tokens,
            reasoning_effort="low" if "gpt-oss" in model else NOT_GIVEN,  # it reasons before each answer
        )
        return with_repaired_streams(client)

    return VoiceStack(
        stt=deepgram.STT(
            model="nova-3",
            language=settings.language,
            api_key=settings.deepgram_api_key.get_secret_value(),
            base_url=str(settings.deepgram_base_url),
        ),
        fast_llm=cerebras(settings.cerebras_fast_model, FAST_REPLY_MAX_TOKENS),
        main_llm=cerebras(settings.cerebras_main_model, settings.answer_max_tokens),
        answering_fast_llm=cerebras(settings.cerebras_fast_model, settings.answer_max_tokens),
        tts=openai.TTS(
            model="kokoro",
            voice=settings.kokoro_voice,
            api_key="none",
            base_url=str(settings.kokoro_base_url),
            response_format="pcm",
        ),
        vad=inference.VAD(model="silero"),
        voice=f"kokoro {settings.kokoro_voice}",
        provider_names=ProviderNames(stt="deepgram", llm="cerebras", tts="kokoro"),
    )


def provider_probes(settings: MySettings) -> list[ProviderProbe]:
    """Return a probe for each provider."""
    return [
        ProviderProbe(
            name="Cerebras",
            component="llm",
            url=f"{settings.cerebras_base_url}/models",
            authorization=f"Bearer {settings.cerebras_api_key.get_secret_value()}",
            key_setting="CEREBRAS_API_KEY",
            unreachable_remedy="check CEREBRAS_BASE_URL and the network",
            models=(
                ("CEREBRAS_FAST_MODEL", settings.cerebras_fast_model),
                ("CEREBRAS_MAIN_MODEL", settings.cerebras_main_model),
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
            name="Kokoro",
            component="tts",
            url=f"{settings.kokoro_base_url}/models",
            authorization="Bearer none",
            key_setting="KOKORO_BASE_URL",
            unreachable_remedy="start it or set KOKORO_BASE_URL",
        ),
    ]


if __name__ == "__main__":
    run(StackDefinition("mine", MySettings, build_stack, provider_probes))
