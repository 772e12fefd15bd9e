"""What does the caller say, and how does it sound?"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path

import aiohttp

from agent_worker.core.folders import cache_dir
from caller.audio import audible_segments, read_wav
from testbed.processes import ServiceError, free_port
from testbed.services import model_server, running

UTTERANCES = (
    "Is there a pharmacy near the station?",
    "Please cancel my appointment.",
    "My parcel is still not here.",
    "I need a new password.",
    "How much does the delivery cost?",
    "Thank you very much for your help.",
)
"""One turn each: a question, a request, a problem, a wish, another question, and thanks.

None has a pause inside, since the simulated Deepgram would take what follows one for the next utterance. And with each
LiveKit's end-of-turn model is sure that the caller has finished (probability 0.57 to 0.82, where 0.36 decides). With
one that it is not sure of, chance decides between waiting 0.3 s and 2.5 s, which is a matter of its own: see
``benchmarks.endpointing``.
"""

VOICE = "am_adam"


async def clips() -> list[Path]:
    """A WAV file for each utterance, spoken by Kokoro once and then kept."""
    folder = cache_dir() / "benchmarks" / "caller"
    paths = {text: folder / f"{_key(text)}.wav" for text in UTTERANCES}
    missing = [text for text, path in paths.items() if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        await _speak({text: paths[text] for text in missing})
    return list(paths.values())


def _key(text: str) -> str:
    return hashlib.sha256(f"{VOICE}/{text}".encode()).hexdigest()[:16]


async def _speak(paths: dict[str, Path]) -> None:
    port = free_port()
    logs = Path(tempfile.mkdtemp(prefix="latency-speech-"))
    async with (
        running([model_server(port, "--tts", "kokoro")], logs),
        aiohttp.ClientSession(raise_for_status=True) as http,
    ):
        for text, path in paths.items():
            body = {"model": "kokoro", "voice": VOICE, "input": text, "response_format": "wav"}
            async with http.post(f"http://127.0.0.1:{port}/v1/audio/speech", json=body) as response:
                wav = await response.read()
            part = path.with_suffix(".part")
            await asyncio.to_thread(part.write_bytes, wav)
            if pauses := await asyncio.to_thread(_pauses, part):
                raise ServiceError(f"{text!r} has {pauses} pause(s) in it: choose another utterance")
            part.rename(path)


def _pauses(wav: Path) -> int:
    return len(audible_segments(read_wav(wav))) - 1
