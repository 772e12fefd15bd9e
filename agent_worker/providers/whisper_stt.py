"""Whisper behind OpenAI's transcriptions API, with what it knows of its own doubts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import openai as openai_client
from livekit import rtc
from livekit.agents import (
    APIConnectionError,
    APIConnectOptions,
    APIStatusError,
    APITimeoutError,
    LanguageCode,
    NotGivenOr,
    stt,
)
from livekit.agents.types import NOT_GIVEN
from livekit.agents.utils import AudioBuffer
from livekit.plugins import openai

from agent_worker.core.language_tag import MULTI
from agent_worker.core.log import logger
from agent_worker.providers.languages import whisper_language

_REQUEST_TIMEOUT_S = 30.0


class WhisperSTT(openai.STT):
    """livekit's STT for OpenAI's transcriptions API, which also reads the probabilities of ``verbose_json``.

    The plugin requests them from one model only and drops them. Here a transcript has ``no_speech_prob`` and
    ``avg_logprob`` in its metadata, and its confidence is the mean probability of a token. A service that refuses
    ``verbose_json`` is asked for ``json`` from then on, and gives neither.

    Args:
        model: Name of the model.
        language: Language tag of the caller; of ``multi``, or of one that Whisper does not know, the model finds it.
        api_key: Key of the service.
        base_url: Address of the service.
    """

    def __init__(self, *, model: str, language: str, api_key: str, base_url: str) -> None:
        timeout = openai_client.Timeout(_REQUEST_TIMEOUT_S, connect=15.0)
        self._api = openai_client.AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0, timeout=timeout)
        self._requested = whisper_language(language)
        super().__init__(model=model, language=language, detect_language=self._requested is None, client=self._api)
        self._spoken = LanguageCode("" if language == MULTI else language)
        self._is_verbose = True

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str | list[str]] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        wav = await asyncio.to_thread(lambda: rtc.combine_audio_frames(buffer).to_wav_bytes())
        try:
            data = await self._transcribe(wav, conn_options.timeout)
        except openai_client.APITimeoutError:
            raise APITimeoutError() from None
        except openai_client.APIStatusError as error:
            raise APIStatusError(
                error.message, status_code=error.status_code, request_id=error.request_id, body=error.body
            ) from None
        except Exception as error:
            raise APIConnectionError() from error
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])

    async def _transcribe(self, wav: bytes, connect_timeout_s: float) -> stt.SpeechData:
        if self._is_verbose:
            try:
                return self._speech_data(await self._request(wav, "verbose_json", connect_timeout_s))
            except (openai_client.BadRequestError, openai_client.UnprocessableEntityError):
                answer = await self._request(wav, "json", connect_timeout_s)  # raises if the format was not the reason
                self._is_verbose = False
                logger.info("the STT service has no verbose_json: how sure it is of its words is not known")
                return self._speech_data(answer)
        return self._speech_data(await self._request(wav, "json", connect_timeout_s))

    async def _request(self, wav: bytes, response_format: Any, connect_timeout_s: float) -> Any:
        return await self._api.audio.transcriptions.create(
            file=("speech.wav", wav, "audio/wav"),
            model=self.model,
            language=self._requested or openai_client.omit,
            response_format=response_format,
            timeout=openai_client.Timeout(_REQUEST_TIMEOUT_S, connect=connect_timeout_s),
        )

    def _speech_data(self, answer: Any) -> stt.SpeechData:
        probabilities = segment_probabilities(getattr(answer, "segments", None) or ())
        return stt.SpeechData(
            language=self._spoken or LanguageCode(getattr(answer, "language", None) or ""),
            text=answer.text or "",
            confidence=math.exp(min(0.0, probabilities["avg_logprob"])) if "avg_logprob" in probabilities else 0.0,
            metadata=dict(probabilities) or None,
        )


def segment_probabilities(segments: Sequence[Any]) -> dict[str, float]:
    """Return the probabilities of a transcript, each the mean over its segments by their duration.

    Args:
        segments: The segments of ``verbose_json``.

    Returns:
        ``no_speech_prob`` and ``avg_logprob``, as far as every segment has them.
    """
    weights = [max(segment.end - segment.start, 1e-3) for segment in segments]
    found = {}
    for name in ("no_speech_prob", "avg_logprob"):
        values = [getattr(segment, name, None) for segment in segments]
        if values and all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
            total = sum(weight * value for weight, value in zip(weights, values, strict=True))
            found[name] = total / sum(weights)
    return found
