from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import rtc

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.audio.silence import split_frame, trim_frame, trim_silence
from agent_worker.audio.tts_stream import TTSInput, VoiceSilentError, with_timeout
from agent_worker.preresponse.pending_speech import PendingSpeech
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.testing import ScriptedTTS, tone


async def stream(*frames: rtc.AudioFrame) -> AsyncIterator[rtc.AudioFrame]:
    for frame in frames:
        yield frame


def seconds(*frames: rtc.AudioFrame) -> float:
    return round(sum(frame.duration for frame in frames), 3)


def silence(length: float) -> rtc.AudioFrame:
    return tone(length, level=0.0)


async def cut(*frames: rtc.AudioFrame, trailing: bool = True) -> float:
    return seconds(*[frame async for frame in trim_silence(stream(*frames), trailing=trailing)])


async def test_silence_is_trimmed_at_the_edges_and_kept_within() -> None:
    assert await cut(silence(0.5), tone(0.2), silence(0.4), tone(0.2), silence(0.5)) == 0.8


async def test_margin_of_silence_is_kept_within_a_frame() -> None:
    frame = rtc.AudioFrame(
        b"".join(bytes(part.data) for part in (silence(0.5), tone(0.2), silence(0.5))), 16000, 1, 19200
    )
    assert await cut(frame) == 0.27


async def test_trailing_silence_is_kept_by_default() -> None:
    assert await cut(silence(0.5), tone(0.2), silence(0.5), trailing=False) == 0.7


async def test_silence_alone_is_trimmed_to_nothing() -> None:
    assert await cut(silence(0.5), silence(0.5)) == 0.0


async def test_userdata_of_trimmed_frames_is_kept() -> None:
    quiet, loud = silence(0.1), tone(0.1)
    quiet.userdata.update(words=["It"], started=1.0)
    loud.userdata.update(words=["opens"], started=2.0)
    (first, *_) = [frame async for frame in trim_silence(stream(quiet, loud), trailing=True)]
    assert first.userdata == {"words": ["It", "opens"], "started": 1.0}


def test_frame_is_trimmed_and_split_without_loss() -> None:
    frame = trim_frame(rtc.AudioFrame(bytes(silence(0.3).data) + bytes(tone(0.2).data), 16000, 1, 8000))
    assert seconds(frame) == 0.22
    assert b"".join(bytes(piece.data) for piece in split_frame(frame)) == bytes(frame.data)


async def test_phrases_are_synthesised_once_for_a_voice(tmp_path: Path) -> None:
    voice = ScriptedTTS()
    first = PhraseAudio(tmp_path, "voice a")
    assert first.load(["Let me see.", "Okay."]) == ["Let me see.", "Okay."]
    assert await first.make(["Let me see.", "Okay."], voice) == 0

    again = PhraseAudio(tmp_path, "voice a")
    assert again.load(["Let me see.", "Okay."]) == []
    assert seconds(*again.frames("Okay.")) == seconds(*first.frames("Okay.")) > 0
    assert sorted(voice.texts) == ["Let me see.", "Okay."]
    assert PhraseAudio(tmp_path, "voice b").load(["Okay."]) == ["Okay."]


async def test_failed_voice_is_not_asked_for_further_phrases(tmp_path: Path) -> None:
    voice = ScriptedTTS(error=RuntimeError("down"))
    texts = [f"Phrase {letter}." for letter in "abcdefghij"]
    assert await PhraseAudio(tmp_path, "voice").make(texts, voice, concurrency=1) == 10
    assert len(voice.texts) == 1


async def test_damaged_file_counts_as_missing(tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make(["Okay."], ScriptedTTS())
    for file in list(tmp_path.iterdir()):  # noqa: ASYNC240
        file.write_bytes(b"RIFF")
    assert PhraseAudio(tmp_path, "voice").load(["Okay."]) == ["Okay."]


async def test_speech_is_ready_with_its_first_frame() -> None:
    gate = asyncio.Event()

    async def frames() -> AsyncIterator[rtc.AudioFrame]:
        yield tone(0.1)
        await gate.wait()
        yield tone(0.1)

    trace = TurnTrace("llm")
    speech = PendingSpeech("Let me see.", frames(), trace)
    assert await speech.ready
    assert trace.fast_first_audio is not None
    gate.set()
    assert seconds(*[frame async for frame in speech.frames()]) == 0.2


async def test_speech_whose_synthesis_fails_is_not_ready() -> None:
    async def frames() -> AsyncIterator[rtc.AudioFrame]:
        raise RuntimeError("down")
        yield

    speech = PendingSpeech("Let me see.", frames(), TurnTrace("llm"))
    assert not await speech.ready
    assert [frame async for frame in speech.frames()] == []


async def words(*pieces: str, gate: asyncio.Event | None = None) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece
    if gate:
        await gate.wait()


async def spoken(given: TTSInput, *frames: rtc.AudioFrame, silent_after: bool) -> AsyncIterator[rtc.AudioFrame]:
    """A voice that takes the text as it comes."""
    reading = asyncio.ensure_future(_read(given))
    await asyncio.sleep(0)
    for frame in frames:
        yield frame
    if silent_after:
        await asyncio.Event().wait()
    await reading


async def _read(given: TTSInput) -> None:
    async for _ in given:
        pass


@pytest.mark.parametrize("heard", [0, 1])
async def test_voice_that_does_not_start_or_continue_times_out(heard: int) -> None:
    given = TTSInput(words("It opens at nine."))
    frames = with_timeout(spoken(given, *[tone(0.2)] * heard, silent_after=True), given, timeout_s=1.0)
    for _ in range(heard):
        await anext(frames)
    with pytest.raises(VoiceSilentError):
        await anext(frames)


async def test_timeout_does_not_run_while_earlier_audio_is_heard() -> None:
    given = TTSInput(words("It opens at nine. It closes at five."))

    async def slow() -> AsyncIterator[rtc.AudioFrame]:
        await _read(given)
        yield tone(5.0)
        await asyncio.sleep(0.2)
        yield tone(0.2)

    assert seconds(*[frame async for frame in with_timeout(slow(), given, timeout_s=0.05)]) == 5.2


async def test_timeout_does_not_run_without_a_complete_sentence() -> None:
    gate = asyncio.Event()
    given = TTSInput(words("It opens", gate=gate))
    coming = asyncio.ensure_future(anext(with_timeout(spoken(given, silent_after=False), given, timeout_s=0.01), None))
    await asyncio.sleep(0.1)
    assert not coming.done()
    gate.set()
    assert await coming is None


async def test_timeout_runs_from_the_first_complete_sentence() -> None:
    given = TTSInput(words("It opens at nine in the morning. It", gate=asyncio.Event()))
    with pytest.raises(VoiceSilentError):
        await anext(with_timeout(spoken(given, silent_after=True), given, timeout_s=0.01))


async def test_voice_that_stops_times_out_at_the_next_sentence() -> None:
    more = asyncio.Event()

    async def text() -> AsyncIterator[str]:
        yield "It opens at nine in the morning. It closes "
        await more.wait()
        yield "at five in the afternoon. And "
        await asyncio.Event().wait()

    given = TTSInput(text())
    frames = with_timeout(spoken(given, tone(0.01), silent_after=True), given, timeout_s=1.0)
    await anext(frames)
    coming = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0.2)
    assert not coming.done()  # there is nothing more for it to speak
    more.set()
    with pytest.raises(VoiceSilentError):
        await coming
