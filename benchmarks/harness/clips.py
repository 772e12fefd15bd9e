"""The caller's utterances as WAV files."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

import aiohttp
import numpy as np
from livekit import rtc

from agent_worker.core.folders import cache_dir
from caller.audio import SAMPLE_RATE, Pcm, audible_segments, read_wav
from testbed.processes import ServiceError, free_port
from testbed.services import SMALL_MODELS, real_models, running

UTTERANCES = (
    "Is there a pharmacy near the station?",
    "Please cancel my appointment.",
    "My parcel is still not here.",
    "I need a new password.",
    "How much does the delivery cost?",
    "Thank you very much for your help.",
)
"""One turn each: a question, a request, a problem, a wish, another question, and thanks.

None contains a pause, because the simulated Deepgram would start a new utterance after it. LiveKit's end-of-turn model
is sure that each is complete (probability 0.57 to 0.82; the threshold is 0.36). Near the threshold, chance would decide
between a delay of 0.3 s and 2.5 s, which ``benchmarks.endpointing`` measures.
"""

VOICE = "am_adam"


async def clips() -> list[Path]:
    """Return a WAV file for each utterance; Kokoro speaks them once, and they are kept.

    Raises:
        ServiceError: If the model server does not start, or an utterance contains a pause.
    """
    folder = cache_dir() / "benchmarks" / "caller"
    paths = {text: folder / f"{_key(text)}.wav" for text in UTTERANCES}
    missing = {text: path for text, path in paths.items() if not path.exists()}
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        await _synthesize(missing)
    return list(paths.values())


def _key(text: str) -> str:
    return hashlib.sha256(f"{VOICE}/{text}".encode()).hexdigest()[:16]


async def _synthesize(paths: dict[str, Path]) -> None:
    port = free_port()
    logs = Path(tempfile.mkdtemp(prefix="clips-"))
    server = real_models(port, replace(SMALL_MODELS, voice="kokoro"))
    async with running([server], logs), aiohttp.ClientSession(raise_for_status=True) as http:
        for text, path in paths.items():
            body = {"model": "kokoro", "voice": VOICE, "input": text, "response_format": "wav"}
            async with http.post(f"http://127.0.0.1:{port}/v1/audio/speech", json=body) as response:
                wav = await response.read()
            part = path.with_suffix(".part")
            await asyncio.to_thread(part.write_bytes, wav)
            if pauses := len(audible_segments(await asyncio.to_thread(read_wav, part))) - 1:
                raise ServiceError(f"{text!r} contains {pauses} pause(s): choose another utterance")
            part.rename(path)


async def clip_after_silence(seconds: float, folder: Path) -> Path:
    """Return the first utterance as a WAV file in ``folder``, with silence before it."""
    path = folder / f"clip-{seconds:g}.wav"
    if not path.exists():
        speech = await asyncio.to_thread(read_wav, (await clips())[0])
        silence: Pcm = np.zeros(int(seconds * SAMPLE_RATE), np.int16)
        await asyncio.to_thread(path.write_bytes, wav_bytes(np.concatenate([silence, speech])))
    return path


def wav_bytes(pcm: Pcm, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Return mono 16-bit samples as a WAV file."""
    return rtc.AudioFrame(pcm.tobytes(), sample_rate, 1, len(pcm)).to_wav_bytes()
