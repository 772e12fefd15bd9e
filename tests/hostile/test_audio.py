"""Audio of every kind, from callers and voices: passed on, or left out, and never an error or a growing memory."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import struct
import tracemalloc
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents.voice import io as voice_io

from agent_worker.audio.output import PacedAudioOutput
from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.audio.silence import split_frame, trim_frame, trim_silence
from agent_worker.audio.tts_stream import TTSInput, with_timeout
from agent_worker.preresponse.pending_speech import PendingSpeech
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.testing import SAMPLE_RATE_HZ, ScriptedTTS, tone
from agent_worker.turn_taking.audio_input import SpeechEndTracker
from caller.audio import NotAudioError, read_wav

RATES = st.sampled_from([8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000, 192_000])
#: Silence, faint, clipped both ways, direct current, noise.
SOUNDS = st.sampled_from(["silence", "faint", "clipping", "dc", "lowest", "noise"])


def sound(kind: str, samples: int, channels: int) -> bytes:
    shape = (samples, channels)
    made = {
        "silence": lambda: np.zeros(shape),
        "faint": lambda: np.ones(shape) * (np.indices(shape)[0] % 2),
        "clipping": lambda: np.where(np.indices(shape)[0] % 100 < 50, 32767, -32768),
        "dc": lambda: np.full(shape, 12_000),
        "lowest": lambda: np.full(shape, -32768),
        "noise": lambda: np.random.default_rng(1).integers(-32768, 32768, shape),
    }[kind]()
    return made.astype(np.int16).tobytes()


def frame(kind: str, rate: int, channels: int, samples: int) -> rtc.AudioFrame:
    return rtc.AudioFrame(sound(kind, samples, channels), rate, channels, samples)


FRAMES = st.builds(frame, SOUNDS, RATES, st.integers(1, 2), st.integers(0, 2_000))


class Silent(voice_io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="line")


async def stream(*frames: rtc.AudioFrame) -> AsyncIterator[rtc.AudioFrame]:
    for one in frames:
        yield one


@given(st.lists(FRAMES, max_size=5), st.floats(0, 10))
@example([frame("noise", 50, 1, 50)], 5.0)
def test_level_of_any_frame_is_measured(frames: list[rtc.AudioFrame], last_voice: float) -> None:
    audio = SpeechEndTracker(Silent())
    for number, one in enumerate(frames):
        audio.record(one, float(number))
    assert audio.last_audible(last_voice) <= last_voice


def test_memory_is_bounded_in_half_an_hour_of_speech() -> None:
    audio, one = SpeechEndTracker(Silent()), frame("noise", 24_000, 1, 4_800)
    for number in range(60):  # 12 seconds: more than what is remembered
        audio.record(one, number / 5)
    tracemalloc.start()
    for number in range(60, 260):
        audio.record(one, number / 5)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 300_000
    assert audio.last_audible(number / 5) == pytest.approx(number / 5, abs=0.5)


@given(st.lists(FRAMES, max_size=6), st.booleans())
def test_trimming_keeps_the_sound(frames: list[rtc.AudioFrame], trailing: bool) -> None:
    async def cut() -> list[rtc.AudioFrame]:
        return [one async for one in trim_silence(stream(*frames), trailing=trailing)]

    left = asyncio.run(cut())
    assert sum(one.duration for one in left) <= sum(one.duration for one in frames) + 1e-6
    for one in frames:
        part = trim_frame(one)
        assert sum(piece.samples_per_channel for piece in split_frame(part)) == part.samples_per_channel


class Heard(voice_io.AudioOutput):
    def __init__(self) -> None:
        super().__init__(label="test", capabilities=voice_io.AudioOutputCapabilities(pause=False))
        self.frames = 0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.frames += 1

    def flush(self) -> None:
        super().flush()

    def clear_buffer(self) -> None:
        pass


@given(st.lists(st.builds(frame, SOUNDS, RATES, st.integers(1, 2), st.integers(0, 160)), max_size=6))
def test_any_frame_is_played(frames: list[rtc.AudioFrame]) -> None:
    async def play() -> int:
        output = PacedAudioOutput(heard := Heard())
        for one in frames:
            await output.capture_frame(one)
        output.flush()
        output.clear_buffer()
        return heard.frames

    assert asyncio.run(play()) == len(frames)


async def endless(level: float) -> AsyncIterator[rtc.AudioFrame]:
    piece = tone(1.0, level)
    while True:
        yield piece
        await asyncio.sleep(0)


@pytest.mark.parametrize("level", [0.0, 0.3])
async def test_endless_audio_of_a_voice_is_cut_off(level: float) -> None:
    preresponse = PendingSpeech("Let me see.", endless(level), TurnTrace("llm"))
    assert await preresponse.ready is (level > 0)
    await preresponse.task
    assert sum([one.duration async for one in preresponse.frames()]) < 20

    async def words() -> AsyncIterator[str]:
        yield "It opens at nine."

    given_words = TTSInput(words())
    _ = [word async for word in given_words]
    assert sum([one.duration async for one in with_timeout(endless(level), given_words)]) < 30


def wav(width: int, rate: int, channels: int, data: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writing:
        writing.setnchannels(channels)
        writing.setsampwidth(width)
        writing.setframerate(rate)
        writing.writeframes(data)
    return file.getvalue()


def float_wav(rate: int, channels: int, samples: np.ndarray) -> bytes:
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, channels, rate, rate * channels * 4, channels * 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


WAVS = st.one_of(
    st.builds(wav, st.integers(1, 4), RATES, st.integers(1, 3), st.binary(max_size=480).map(lambda data: data * 4)),
    st.builds(
        lambda file, at, byte, end: (file[:at] + bytes([byte]) + file[at + 1 :])[:end],
        st.just(wav(2, SAMPLE_RATE_HZ, 1, sound("noise", 800, 1))),
        st.integers(0, 60),
        st.integers(0, 255),
        st.integers(0, 1700),
    ),
    st.builds(
        float_wav,
        RATES,
        st.integers(1, 2),
        st.lists(st.floats(width=32), min_size=2, max_size=50).map(lambda values: np.array(values * 40)),
    ),
    st.binary(max_size=100),
)


@given(content=WAVS)
@example(content=wav(2, SAMPLE_RATE_HZ, 1, b"abcd").replace(struct.pack("<I", SAMPLE_RATE_HZ), struct.pack("<I", 0)))
@example(content=b"RIFF\x00\x00\x00\x01WAVE" + bytes(23) + b"\x01")
@example(content=wav(2, SAMPLE_RATE_HZ, 2, b"abcd" * 3)[:-2])
@example(content=wav(2, 10, 1, b"abcd"))
def test_any_file_in_the_cache_is_played_or_counts_as_missing(content: bytes, tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    audio._path("Let me see.").write_bytes(content)
    missing = audio.load(["Let me see."])
    seconds = sum(one.duration for one in audio.frames("Let me see."))
    assert bool(missing) is not bool(seconds)
    assert seconds == pytest.approx(audio.duration("Let me see.") or 0)


def world_writable(folder: Path) -> None:
    folder.chmod(0o1777)


def another_users(folder: Path) -> None:
    os.chown(folder, 65534, 65534)


def link(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to("moved")


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")


@pytest.mark.parametrize("attack", [world_writable, link, pytest.param(another_users, marks=NEEDS_ROOT)])
async def test_audio_in_a_folder_of_others_is_not_played_and_none_is_written_there(
    attack: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "phrases"
    audio = PhraseAudio(folder, "voice")
    assert await audio.make(["Okay."], ScriptedTTS()) == 0
    assert folder.stat().st_mode & 0o777 == 0o700
    attack(folder)
    audio = PhraseAudio(folder, "voice")
    assert audio.load(["Okay."]) == ["Okay."]
    assert str(folder) in caplog.text
    assert await audio.make(["Let me see."], ScriptedTTS()) == 1
    assert audio.frames("Let me see.")
    assert len(list(folder.iterdir())) == 1


def test_a_pipe_or_a_link_in_the_cache_of_phrases_counts_as_missing(tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    (tmp_path / "recorded").write_bytes(wav(2, SAMPLE_RATE_HZ, 1, b"abcd"))
    os.mkfifo(audio._path("Okay."))
    audio._path("Let me see.").symlink_to(tmp_path / "recorded")
    assert audio.load(["Okay.", "Let me see."]) == ["Okay.", "Let me see."]


@given(WAVS)
@example(float_wav(48_000, 1, np.full(9600, np.nan)))
@example(float_wav(48_000, 2, np.full(9600, np.inf)))
def test_any_wav_for_the_caller_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(NotAudioError):
        assert read_wav(io.BytesIO(content)).dtype == np.int16
