"""The agent's voice is held by the floor and paused by livekit-agents, independently."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agent_worker.audio.held_output import HeldAudioOutput, make_holdable
from agent_worker.testing import ManualAudioOutput, tone


def test_held_output_is_not_resumed_by_livekit() -> None:
    loudspeaker = ManualAudioOutput(can_pause=True)
    held = HeldAudioOutput(loudspeaker)
    held.hold()
    held.pause()
    held.resume()
    assert loudspeaker.is_paused
    held.release()
    assert not loudspeaker.is_paused


def test_output_that_livekit_has_paused_is_not_resumed_by_a_release() -> None:
    loudspeaker = ManualAudioOutput(can_pause=True)
    held = HeldAudioOutput(loudspeaker)
    held.pause()
    held.hold()
    held.release()
    assert loudspeaker.is_paused
    held.resume()
    assert not loudspeaker.is_paused


async def test_what_is_held_is_played_after_the_release() -> None:
    loudspeaker = ManualAudioOutput(automatic=True, can_pause=True)
    held = HeldAudioOutput(loudspeaker)
    held.hold()
    await held.capture_frame(tone(0.5))
    held.flush()
    held.release()
    event = await held.wait_for_playout()
    assert event.playback_position == pytest.approx(0.5)


@pytest.mark.parametrize("output", [None, ManualAudioOutput()])
def test_session_whose_output_cannot_pause_has_none(output: ManualAudioOutput | None) -> None:
    session = SimpleNamespace(output=SimpleNamespace(audio=output))
    assert make_holdable(session) is None  # type: ignore[arg-type]
    assert session.output.audio is output
