"""Checks of the providers: a real request to each component, through the plugins that a call uses."""

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

from agent_worker.app.checkup.provider_errors import explain
from agent_worker.audio.silence import split_frame, trim_frame
from agent_worker.core.check_result import CheckResult, Status, failed, note, ok
from agent_worker.core.compat.livekit import import_client_modules
from agent_worker.core.progress import REASONING_CHARS_KEY
from agent_worker.core.settings import Settings, SettingsT
from agent_worker.preresponse import fast_reply
from agent_worker.providers.preflight import Component, ProviderProbe, probe_provider
from agent_worker.providers.stack import StackDefinition, VoiceStack

#: A model that is not loaded yet may take long for its first token.
_REQUEST_TIMEOUT_S = 60.0
_NO_RETRY = APIConnectOptions(max_retry=0, timeout=_REQUEST_TIMEOUT_S)
_QUESTION = "Can you hear me?"
_FRAME_DURATION_S = 0.02
_REASONING_HELP = "choose a model that need not reason, or set it up as docs/reasoning-models.md says"
#: The TTS before the STT, which transcribes its audio.
_COMPONENTS: tuple[Component, ...] = ("llm", "tts", "stt")


async def check_providers(
    http: aiohttp.ClientSession, definition: StackDefinition[SettingsT], settings: SettingsT
) -> AsyncIterator[CheckResult]:
    """Send a request to each component, one after the other, so that no measured time includes another's work."""
    import_client_modules()
    async with http_context.open():
        stack = definition.build(settings)
        requests = _Requests(stack, settings)
        probes = definition.provider_probes(settings)
        try:
            for component in _COMPONENTS:
                asked = [probe for probe in probes if probe.component == component]
                failures = [result for probe in asked for result in await _failures(http, probe)]
                for result in failures:
                    yield result
                if not failures:
                    probe = asked[0] if asked else _unknown_provider(component, stack)
                    for name, request in requests.of(probe):
                        yield await _outcome(name, request, probe, settings)
        finally:
            for part in (stack.stt, stack.fast_llm, stack.main_llm, stack.fallback_llm, stack.tts):
                with contextlib.suppress(Exception):
                    await part.aclose()


async def _failures(http: aiohttp.ClientSession, probe: ProviderProbe) -> list[CheckResult]:
    """Return the failures after which a real request is of no use."""
    return [result for result in await probe_provider(http, probe) if result.status is Status.FAILED]


def _unknown_provider(component: Component, stack: VoiceStack) -> ProviderProbe:
    """Stand in for a provider that the stack has no probe for."""
    name = {"llm": stack.provider_names.llm, "tts": stack.provider_names.tts, "stt": stack.provider_names.stt}
    return ProviderProbe(name[component], component, "its address", "", "its key", "check its address and the network")


async def _outcome(
    name: str, request: Coroutine[Any, Any, CheckResult], probe: ProviderProbe, settings: Settings
) -> CheckResult:
    try:
        return await asyncio.wait_for(request, _REQUEST_TIMEOUT_S)
    except Exception as error:
        return explain(name, error, probe, settings)


class _Requests:
    """The requests to a stack. The STT transcribes what the TTS has spoken."""

    def __init__(self, stack: VoiceStack, settings: Settings) -> None:
        self._stack = stack
        self._settings = settings
        self._speech: rtc.AudioFrame | None = None

    def of(self, probe: ProviderProbe) -> list[tuple[str, Coroutine[Any, Any, CheckResult]]]:
        """Return the requests to a provider, each with its name."""
        name = probe.check_name
        match probe.component:
            case "llm":
                fast, main = f"{probe.name}, fast model", f"{probe.name}, main model"
                return [(fast, self._ask_fast(fast)), (main, self._ask_main(main))]
            case "tts":
                return [(name, self._synthesize(name))]
            case "stt":
                return [(name, self._transcribe(name))]

    async def _ask_fast(self, name: str) -> CheckResult:
        prompt = self._settings.preresponse_prompt or fast_reply.DEFAULT_PRERESPONSE_PROMPT
        request = fast_reply.request(prompt, _QUESTION)
        return await time_first_word(name, self._stack.fast_llm, request, self._settings.answer_timeout)

    async def _ask_main(self, name: str) -> CheckResult:
        chat_ctx = llm.ChatContext.empty()
        chat_ctx.add_message(role="system", content=self._settings.system_prompt)
        chat_ctx.add_message(role="user", content=_QUESTION)
        limit_s = self._settings.thinking_timeout or self._settings.answer_timeout
        return await time_first_word(name, self._stack.main_llm, chat_ctx, limit_s)

    async def _synthesize(self, name: str) -> CheckResult:
        # The greeting is in the callers' language, which the STT expects.
        seconds, self._speech = await _synthesize(self._stack.tts, self._settings.greeting)
        if self._speech is None:
            return failed(name, "gave no audio", f"check that the voice exists: {self._stack.voice}")
        return ok(name, f"{self._stack.voice}: time to the first audio", seconds)

    async def _transcribe(self, name: str) -> CheckResult:
        seconds, text = await _transcribe(self._stack.stt, trim_frame(self._speech or _read_recording()))
        if text:
            return ok(name, f'{self._stack.stt.model}: time from the end of speech to "{text}"', seconds)
        if self._speech is None:
            remedy = "repair the TTS and try again"
            return note(name, "answers, and understood nothing of an English sentence", remedy)
        remedy = "check that LANGUAGE, GREETING and the voice are of the same language, and that the model knows it"
        return failed(name, "answers, and understood nothing of what the TTS said", remedy)


async def time_first_word(name: str, model: llm.LLM[Any], chat_ctx: llm.ChatContext, limit_s: float) -> CheckResult:
    """Measure the time to the first word, and note a model that reasons for longer than a call waits.

    Args:
        name: Name of the check.
        model: The model.
        chat_ctx: What it is asked.
        limit_s: How long a call waits for a model that reasons.
    """
    started = time.perf_counter()
    reasons = False
    async with model.chat(chat_ctx=chat_ctx, conn_options=_NO_RETRY) as stream:
        async for chunk in stream:
            reasons = reasons or bool(chunk.delta and REASONING_CHARS_KEY in (chunk.delta.extra or {}))
            if chunk.delta and chunk.delta.content:
                seconds = time.perf_counter() - started
                if reasons and seconds > limit_s:
                    return note(
                        name, f"{model.model} reasoned for {seconds:.1f} s before its first word", _REASONING_HELP
                    )
                what = "first word, behind its reasoning" if reasons else "first token"
                return ok(name, f"{model.model}: time to the {what}", seconds)
    if reasons:
        return failed(name, f"{model.model} reasoned and said nothing within its tokens", _REASONING_HELP)
    return failed(name, f"{model.model} said nothing", "try the model by hand, or choose another")


async def _synthesize(voice: tts.TTS[Any], text: str) -> tuple[float, rtc.AudioFrame | None]:
    """Return the seconds to the first audio, and all audio."""
    started = time.perf_counter()
    first_s, frames = 0.0, []
    async with voice.synthesize(text, conn_options=_NO_RETRY) as stream:
        async for event in stream:
            first_s = first_s or time.perf_counter() - started
            frames.append(event.frame)
    return first_s, rtc.combine_audio_frames(frames) if frames else None


async def _transcribe(recognizer: stt.STT[Any], speech: rtc.AudioFrame) -> tuple[float, str]:
    """Return the seconds from the end of speech to its transcript, and the transcript."""
    if recognizer.capabilities.streaming:
        return await _transcribe_stream(recognizer, speech)
    started = time.perf_counter()
    event = await recognizer.recognize(speech, conn_options=_NO_RETRY)
    return time.perf_counter() - started, event.alternatives[0].text if event.alternatives else ""


async def _transcribe_stream(recognizer: stt.STT[Any], speech: rtc.AudioFrame) -> tuple[float, str]:
    final_at, texts = 0.0, []
    async with recognizer.stream(conn_options=_NO_RETRY) as stream:
        push = asyncio.create_task(_push_in_real_time(stream, speech))
        try:
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                    final_at = time.perf_counter()
                    texts.append(event.alternatives[0].text)
            ended_at = await push
        finally:
            push.cancel()
    return max(final_at - ended_at, 0.0), " ".join(filter(None, texts))


async def _push_in_real_time(stream: stt.RecognizeStream, speech: rtc.AudioFrame) -> float:
    """Push audio as fast as it is spoken, as a call does. Returns when it ended, by ``time.perf_counter``."""
    started = time.perf_counter()
    for number, frame in enumerate(split_frame(speech, _FRAME_DURATION_S), 1):
        stream.push_frame(frame)
        await asyncio.sleep(started + number * _FRAME_DURATION_S - time.perf_counter())
    stream.end_input()
    return time.perf_counter()


def _read_recording() -> rtc.AudioFrame:
    """Return a recording of "Can you hear me?"."""
    path = resources.files("agent_worker.app.checkup") / "can-you-hear-me.wav"
    with path.open("rb") as raw, wave.open(raw) as file:
        return rtc.AudioFrame(file.readframes(file.getnframes()), file.getframerate(), 1, file.getnframes())
