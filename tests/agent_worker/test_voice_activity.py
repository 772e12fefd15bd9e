"""The detector's events reach observers and livekit-agents alike."""

from __future__ import annotations

from livekit.agents import vad

from agent_worker.testing import ScriptedVAD
from agent_worker.turn_taking.voice_activity import ObservedVAD


async def test_observers_see_each_event_before_its_reader() -> None:
    source = ScriptedVAD()
    observed = ObservedVAD(source)
    seen: list[vad.VADEventType] = []
    observed.observe(lambda event: seen.append(event.type))
    stream = observed.stream()
    source.start_speech()
    source.hear()
    source.end_speech()
    for count in (1, 2, 3):
        event = await anext(stream)
        assert len(seen) == count
        assert seen[-1] is event.type
    await stream.aclose()


def test_metrics_and_silence_of_the_source_are_the_observed_ones() -> None:
    source = ScriptedVAD()
    observed = ObservedVAD(source)
    metrics: list[object] = []
    observed.on("metrics_collected", metrics.append)
    source.emit("metrics_collected", "some")
    assert metrics == ["some"]
    assert observed.min_silence_duration is None
    source.min_silence_duration = 0.4  # type: ignore[attr-defined]
    assert observed.min_silence_duration == 0.4
