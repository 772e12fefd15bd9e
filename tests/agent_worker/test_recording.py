"""Recordings: both sides, and only of callers who were told."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import av
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.job import _JobContextVar

from agent_worker.app import call
from agent_worker.core.settings import BadSettingsError, Settings
from agent_worker.lifecycle.greeting import greet_when_answered
from agent_worker.lifecycle.recording import Recording, check_recording, notice_of, recorder_options
from agent_worker.testing import ManualAudioOutput, ScriptedTTS, SilentMicrophone
from agent_worker.text.messages import recording_notice
from tests.agent_worker.telephones import FakeRoom, phone
from tests.waiting import settle, until

NOTICE = "This call is recorded."
GREETING = "Hello!"
NAME = "20260102T030405Z-AJ_1.ogg"


def settings(**given: Any) -> Settings:
    return Settings(livekit_url="ws://localhost:7880", livekit_api_key="devkey", livekit_api_secret="secret", **given)


class FakeJob:
    """A job with a folder, as livekit-agents' recorder needs it."""

    def __init__(self, folder: Path, *, redaction: bool = False) -> None:
        self.session_directory = folder / "job"
        self.job = SimpleNamespace(
            id="AJ_1", agent_name="", dispatch_id="", enable_redaction=redaction, enable_recording=True,
            room=SimpleNamespace(sid="RM_1"), state=SimpleNamespace(agent_id=""),
        )  # fmt: skip
        self.room = SimpleNamespace(name="museum")
        self._info = SimpleNamespace(worker_id="")
        self._primary_agent_session: Any = None
        self._telemetry_state = None
        self.shutdown_callbacks: list[Callable[[], Any]] = []
        self.recording_options: Any = None

    def simulation_context(self) -> None:
        pass

    def is_fake_job(self) -> bool:
        return False

    def init_recording(self, options: Any) -> None:
        self.recording_options = dict(options)

    def add_shutdown_callback(self, callback: Callable[[], Any]) -> None:
        self.shutdown_callbacks.append(callback)


@dataclass
class RecordedCall:
    session: AgentSession[Any]
    voice: ScriptedTTS
    loudspeaker: ManualAudioOutput
    recording: Recording
    job: FakeJob
    folder: Path
    greeting: asyncio.Task[None] = field(init=False)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@asynccontextmanager
async def recorded_call(
    tmp_path: Path, voice: ScriptedTTS | None = None, microphone: SilentMicrophone | None = None
) -> AsyncIterator[RecordedCall]:
    """A call; its recording is kept, or not, at the end."""
    job, folder = FakeJob(tmp_path), tmp_path / "recordings"
    folder.mkdir(mode=0o700)
    voice = voice or ScriptedTTS()
    token = _JobContextVar.set(job)  # type: ignore[arg-type]
    session = AgentSession[Any](tts=voice, vad=None, turn_handling={"turn_detection": None})
    try:
        session.input.audio = microphone or SilentMicrophone()
        session.output.audio = loudspeaker = ManualAudioOutput()
        await session.start(Agent(instructions=""), record=recorder_options(job, is_recorded=True))  # type: ignore[arg-type]
        recording = Recording(session, job, folder, NOTICE, clock=lambda: 1_767_323_045.0)  # type: ignore[arg-type]
        running = RecordedCall(session, voice, loudspeaker, recording, job, folder)
        yield running
        await session.aclose()
        await recording.keep()
    finally:
        await session.aclose()
        _JobContextVar.reset(token)


async def test_caller_is_told_before_anything_else_is_said(tmp_path: Path) -> None:
    async with recorded_call(tmp_path) as it:
        ringing = phone()
        room: Any = FakeRoom(ringing)
        greeted = greet_when_answered(it.session, room, GREETING, it.recording)
        await settle()
        assert it.voice.texts == []
        it.loudspeaker.automatic = True
        room.set_status(ringing, "active")
        await greeted
        await until(lambda: len(it.voice.texts) == 2)
        assert it.voice.texts == [NOTICE, GREETING]
    assert it.files == [NAME]


class Whistle(SilentMicrophone):
    """A caller who whistles."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0

    async def __anext__(self) -> rtc.AudioFrame:
        silence = await super().__anext__()
        self.frames += 1
        samples = 16_000 * np.sin(2 * np.pi * 1000 * np.arange(silence.samples_per_channel) / silence.sample_rate)
        return rtc.AudioFrame(samples.astype(np.int16).tobytes(), silence.sample_rate, 1, silence.samples_per_channel)


async def test_recording_has_both_sides_and_is_for_its_owner_only(tmp_path: Path) -> None:
    whistle = Whistle()
    async with recorded_call(tmp_path, microphone=whistle) as it:
        it.loudspeaker.automatic = True
        await greet_when_answered(it.session, None, GREETING, it.recording)
        await until(lambda: whistle.frames > 20)
    path = it.folder / NAME
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        assert (container.format.name, stream.codec_context.layout.name) == ("ogg", "stereo")
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    caller, agent = np.abs(sound).max(axis=1)
    assert caller > 0.1
    assert agent > 0.1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_caller_who_hangs_up_during_the_notice_is_not_recorded(tmp_path: Path) -> None:
    async with recorded_call(tmp_path) as it:
        greeted = greet_when_answered(it.session, None, GREETING, it.recording)
        await it.loudspeaker.wait_until(lambda output: output.complete)
        assert not greeted.done()
        closing = asyncio.create_task(it.session.aclose())
        await settle()
        it.loudspeaker.clear_buffer()
        await closing
    assert it.files == []


async def test_caller_who_could_not_be_told_is_not_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with recorded_call(tmp_path, ScriptedTTS(error=RuntimeError("no voice"))) as it:
        it.loudspeaker.automatic = True
        await greet_when_answered(it.session, None, None, it.recording)
        assert it.session._recorder_io is not None
        assert not it.session._recorder_io.recording
    assert it.files == []
    assert "a call is not recorded: the notice could not be said to its end" in caplog.messages


async def test_caller_who_was_never_on_the_line_is_not_recorded(tmp_path: Path) -> None:
    async with recorded_call(tmp_path) as it:
        room: Any = FakeRoom(phone())
        greet_when_answered(it.session, room, GREETING, it.recording)
        await settle()
    assert it.files == []


async def test_nothing_is_left_for_livekit_cloud(tmp_path: Path) -> None:
    async with recorded_call(tmp_path) as it:
        assert it.job.recording_options["audio"]
        kept = it.session.options.recording_options
        assert not any(kept[name] for name in ("audio", "transcript", "traces", "logs"))  # type: ignore[literal-required]


async def test_recording_that_cannot_be_written_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with recorded_call(tmp_path) as it:
        it.loudspeaker.automatic = True
        await greet_when_answered(it.session, None, None, it.recording)
        it.folder.rmdir()
    assert any("a recording is lost: RECORDING_DIR: " in message for message in caplog.messages)


def test_without_the_setting_nothing_is_recorded_whatever_the_server_wants(tmp_path: Path) -> None:
    assert recorder_options(FakeJob(tmp_path), is_recorded=False) is False  # type: ignore[arg-type]


def test_project_with_redaction_can_be_recorded(tmp_path: Path) -> None:
    options: Any = recorder_options(FakeJob(tmp_path, redaction=True), is_recorded=True)  # type: ignore[arg-type]
    assert options["transcript"]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt-BR"])
def test_notice_is_there_in_five_languages(language: str, tmp_path: Path) -> None:
    given = settings(recording_dir=tmp_path / "r", language=language)
    check_recording(given)
    assert notice_of(given) == recording_notice(language) != ""
    assert notice_of(settings(language=language)) is None


@pytest.mark.parametrize("language", ["ja", "multi"])
def test_language_without_a_notice_needs_one(language: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettingsError, match="RECORDING_NOTICE is not set"):
        check_recording(settings(recording_dir=tmp_path / "r", language=language))
    check_recording(settings(recording_dir=tmp_path / "r", language=language, recording_notice="録音します。"))


@pytest.mark.skipif(os.name != "posix", reason="modes of folders")
def test_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(BadSettingsError, match=r"RECORDING_DIR: .*may be written by other users"):
        check_recording(settings(recording_dir=folder))


def test_recording_of_a_call_says_the_notice_of_the_settings(tmp_path: Path) -> None:
    given = settings(recording_dir=tmp_path, recording_notice="Recorded!")
    assert call.recording_of(MagicMock(), MagicMock(), given)._notice == "Recorded!"
