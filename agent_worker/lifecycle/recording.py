"""Record calls with livekit-agents' recorder: both sides, after the caller has been told, and not otherwise.

The recorder writes to the folder of the job, which is removed at the end of the call. A recording is copied from there
to ``RECORDING_DIR`` if the notice was said to its end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession, JobContext, llm
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.agent_session import RecordingOptions

from agent_metrics.storage.trusted import check_path, make_folder, open_file
from agent_worker.core.compat.livekit import stop_recorder
from agent_worker.core.language_tag import MULTI
from agent_worker.core.log import logger
from agent_worker.core.settings import BadSettingsError, Settings
from agent_worker.text import messages

#: The file that livekit-agents' recorder writes in the job's folder: Ogg with Opus, the caller left, the agent right.
_RECORDER_FILE = "audio.ogg"


def notice_of(settings: Settings) -> str | None:
    """Return the sentence that tells callers that they are recorded; None if they are not."""
    if settings.recording_dir is None:
        return None
    return settings.recording_notice or messages.recording_notice(settings.language)


def check_recording(settings: Settings) -> None:
    """Check that calls can be recorded, if they are to be, and make the folder.

    Raises:
        BadSettingsError: If the folder is not safe or cannot be made, or if there is no sentence in the language.
    """
    if (folder := settings.recording_dir) is None:
        return
    problems = []
    try:
        make_folder(folder)
        check_path(folder)
    except OSError as error:
        problems.append(f"RECORDING_DIR: {error}")
    if not notice_of(settings):
        unknown = "is not known in advance" if settings.language == MULTI else f"{settings.language} has none"
        problems.append(
            "RECORDING_NOTICE is not set: no call is recorded before the caller is told, and the built-in sentences do "
            f"not do: the callers' language {unknown}. Write the sentence, in all languages that they may speak"
        )
    if problems:
        raise BadSettingsError(problems)


def recorder_options(job: JobContext, *, is_recorded: bool) -> bool | RecordingOptions:
    """Return what ``AgentSession.start`` has to record.

    Never what the LiveKit server wants: a project of LiveKit Cloud may have switched recording on.
    """
    if not is_recorded:
        return False
    # With redaction, livekit-agents refuses to record audio without the transcript.
    return RecordingOptions(audio=True, transcript=job.job.enable_redaction, traces=False, logs=False)


class Recording:
    """The recording of one call. Make it after ``session.start``.

    Args:
        session: The call's session, started with :func:`recorder_options`.
        job: The call's job. At its end the recording is copied.
        folder: Where recordings are kept.
        notice: Tells the caller.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        job: JobContext,
        folder: Path,
        notice: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._job = job
        self._folder = folder
        self._notice = notice
        begun = datetime.fromtimestamp(clock(), timezone.utc)
        self._name = f"{begun:%Y%m%dT%H%M%SZ}-{job.job.id}.ogg"
        self._is_announced = False
        for_livekit_cloud = session.options.recording_options
        for_livekit_cloud["audio"] = for_livekit_cloud["transcript"] = False
        job.add_shutdown_callback(self.keep)

    def announce(self) -> SpeechHandle:
        """Begin to tell the caller. :meth:`settle` has to follow."""
        return self._session.say(self._notice, allow_interruptions=False)

    async def settle(self, speech: SpeechHandle) -> None:
        """Wait for the end of the notice; if it was not said to its end, stop recording."""
        await speech.wait_for_playout()
        said = [item.text_content or "" for item in speech.chat_items if isinstance(item, llm.ChatMessage)]
        self._is_announced = not speech.interrupted and self._notice in " ".join(" ".join(said).split())
        if not self._is_announced:
            logger.warning("a call is not recorded: the notice could not be said to its end")
            await stop_recorder(self._session)

    async def keep(self) -> None:
        """Copy the recording to its folder, if the caller was told. The session has been closed."""
        recorded = self._job.session_directory / _RECORDER_FILE
        if not self._is_announced:
            return
        try:
            await asyncio.to_thread(_copy, recorded, self._folder / self._name)
        except OSError as error:
            logger.error("a recording is lost: RECORDING_DIR: %s", error)
        else:
            logger.info("a call was recorded: %s", self._name)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    with source.open("rb") as recorded, os.fdopen(open_file(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb") as file:
        shutil.copyfileobj(recorded, file)
    part.replace(target)
