"""One real request to each part of the stack, through the same plugins that a call uses."""

from __future__ import annotations

import asyncio
import contextlib
import time
import wave
from collections.abc import AsyncIterator, Coroutine
from importlib import resources
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import APIConnectOptions, llm, stt, tts
from livekit.agents.utils import http_context

from agent_worker.app.checkup.errors import explain
from agent_worker.app.checkup.findings import Finding, failed, note, ok
from agent_worker.audio.silence import split_frame, trim_frame
from agent_worker.core.compat.livekit import import_client_modules
from agent_worker.core.settings import Settings, SettingsT
from agent_worker.preresponse import fast_reply
from agent_worker.providers.preflight import Cause, Component, ProviderProbe, Trouble, ask_provider
from agent_worker.providers.stack import StackDefinition, VoiceStack

#: A model that is not loaded yet can take long for its first word.
_PATIENCE = 60.0
_ONCE = APIConnectOptions(max_retry=0, timeout=_PATIENCE)
_QUESTION = "Can you hear me?"
_PIECE = 0.02  # seconds
_ORDER: tuple[Component, ...] = ("llm", "tts", "stt")
_PARTS: dict[Component, str] = {"llm": "LLM", "tts": "TTS", "stt": "STT"}


async def examine_providers(
    http: aiohttp.ClientSession, definition: StackDefinition[SettingsT], settings: SettingsT
) -> AsyncIterator[Finding]:
    """Ask one after the other, so that none waits for another's work. The STT is given what the TTS has said."""
    import_client_modules()
    async with http_context.open():
        stack = definition.build(settings)
        requests = _Requests(stack, settings)
        providers = definition.provider_probes(settings)
        try:
            for part in _ORDER:
                asked = [provider for provider in providers if provider.component == part]
                troubles = [trouble for one in asked for trouble in await _serious_troubles(http, one)]
                for provider, trouble in troubles:
                    yield failed(f"{provider.name}, {_PARTS[part]}", trouble.problem, trouble.to_do)
                if not troubles:
                    provider = asked[0] if asked else _unknown(part, stack)
                    for name, request in requests.of(provider):
                        yield await _outcome(name, request, provider, settings)
        finally:
            for component in (stack.stt, stack.fast_llm, stack.main_llm, stack.tts):
                with contextlib.suppress(Exception):
                    await component.aclose()


async def _serious_troubles(
    http: aiohttp.ClientSession, provider: ProviderProbe
) -> list[tuple[ProviderProbe, Trouble]]:
    """Those with which a real request is not worth its time."""
    troubles = await ask_provider(http, provider)
    return [(provider, trouble) for trouble in troubles if trouble.cause is not Cause.UNCLEAR]


def _unknown(part: Component, stack: VoiceStack) -> ProviderProbe:
    """Stands for one that the stack does not tell how to ask."""
    name = {"llm": stack.provider_names.llm, "tts": stack.provider_names.tts, "stt": stack.provider_names.stt}[part]
    return ProviderProbe(name, part, "its address", "", "its key", "check its address and the network")


async def _outcome(
    name: str, request: Coroutine[Any, Any, Finding], provider: ProviderProbe, settings: Settings
) -> Finding:
    try:
        return await asyncio.wait_for(request, _PATIENCE)
    except Exception as error:
        return failed(name, *explain(error, provider, settings))


class _Requests:
    """The requests to a stack. What is spoken in one is heard in another."""

    def __init__(self, stack: VoiceStack, settings: Settings) -> None:
        self._stack = stack
        self._settings = settings
        self._spoken: rtc.AudioFrame | None = None

    def of(self, provider: ProviderProbe) -> list[tuple[str, Coroutine[Any, Any, Finding]]]:
        if provider.component == "llm":
            fast, main = f"{provider.name}, fast model", f"{provider.name}, main model"
            return [(fast, self._ask_fast(fast)), (main, self._ask_main(main))]
        name = f"{provider.name}, {_PARTS[provider.component]}"
        return [(name, self._speak(name) if provider.component == "tts" else self._listen(name))]

    async def _ask_fast(self, name: str) -> Finding:
        prompt = self._settings.preresponse_prompt or fast_reply.DEFAULT_PRERESPONSE_PROMPT
        return await _first_token(name, self._stack.fast_llm, fast_reply.request(prompt, _QUESTION))

    async def _ask_main(self, name: str) -> Finding:
        chat_ctx = llm.ChatContext.empty()
        chat_ctx.add_message(role="system", content=self._settings.system_prompt)
        chat_ctx.add_message(role="user", content=_QUESTION)
        return await _first_token(name, self._stack.main_llm, chat_ctx)

    async def _speak(self, name: str) -> Finding:
        # In the language of the callers, which the STT expects.
        seconds, self._spoken = await _synthesize(self._stack.tts, self._settings.greeting)
        if self._spoken is None:
            return failed(name, "gave no audio", f"see that the voice exists: {self._stack.voice}")
        return ok(name, f"{self._stack.voice}: time to the first audio", seconds)

    async def _listen(self, name: str) -> Finding:
        seconds, text = await _transcribe(self._stack.stt, trim_frame(self._spoken or _clip()))
        if text:
            return ok(name, f'{self._stack.stt.model}: time from the end of speech to "{text}"', seconds)
        if self._spoken is None:
            return note(
                name, "answers, and understood nothing of an English sentence", "put the TTS right and try again"
            )
        advice = "see that LANGUAGE, GREETING and the voice are of the same language, and that the model knows it"
        return failed(name, "answers, and understood nothing of what the TTS said", advice)


async def _first_token(name: str, model: llm.LLM[Any], chat_ctx: llm.ChatContext) -> Finding:
    started = time.perf_counter()
    async with model.chat(chat_ctx=chat_ctx, conn_options=_ONCE) as stream:
        async for chunk in stream:
            if chunk.delta and chunk.delta.content:
                return ok(name, f"{model.model}: time to the first token", time.perf_counter() - started)
    return failed(name, f"{model.model} said nothing", "ask it by hand, or choose another model")


async def _synthesize(voice: tts.TTS[Any], text: str) -> tuple[float, rtc.AudioFrame | None]:
    """Seconds until the first audio, and all of it."""
    started = time.perf_counter()
    first, frames = 0.0, []
    async with voice.synthesize(text, conn_options=_ONCE) as stream:
        async for event in stream:
            first = first or time.perf_counter() - started
            frames.append(event.frame)
    return first, rtc.combine_audio_frames(frames) if frames else None


async def _transcribe(recogniser: stt.STT[Any], speech: rtc.AudioFrame) -> tuple[float, str]:
    """Seconds from the end of speech to its transcript, and that."""
    if recogniser.capabilities.streaming:
        return await _transcribe_live(recogniser, speech)
    started = time.perf_counter()
    event = await recogniser.recognize(speech, conn_options=_ONCE)
    return time.perf_counter() - started, event.alternatives[0].text if event.alternatives else ""


async def _transcribe_live(recogniser: stt.STT[Any], speech: rtc.AudioFrame) -> tuple[float, str]:
    final, texts = 0.0, []
    async with recogniser.stream(conn_options=_ONCE) as stream:
        speaking = asyncio.create_task(_say(stream, speech))
        try:
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                    final = time.perf_counter()
                    texts.append(event.alternatives[0].text)
            ended = await speaking
        finally:
            speaking.cancel()
    return max(final - ended, 0.0), " ".join(filter(None, texts))


async def _say(stream: stt.RecognizeStream, speech: rtc.AudioFrame) -> float:
    """Give it the audio as fast as it is spoken, as a call does. Returns when that ended."""
    begin = time.perf_counter()
    for number, piece in enumerate(split_frame(speech, _PIECE), 1):
        stream.push_frame(piece)
        await asyncio.sleep(begin + number * _PIECE - time.perf_counter())
    stream.end_input()
    return time.perf_counter()


def _clip() -> rtc.AudioFrame:
    """Somebody who says "Can you hear me?"."""
    path = resources.files("agent_worker.app.checkup") / "can-you-hear-me.wav"
    with path.open("rb") as raw, wave.open(raw) as file:
        return rtc.AudioFrame(file.readframes(file.getnframes()), file.getframerate(), 1, file.getnframes())
