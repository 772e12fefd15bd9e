"""The CPU time and the lag of a call's process are counted once a second, to its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_worker.telemetry import metrics
from agent_worker.telemetry.process_meter import measure_process


class Counted:
    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, value: float) -> None:
        self.values.append(round(value, 6))

    inc = observe = add


async def test_lag_is_what_the_loop_is_late_and_cpu_time_is_counted_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lag, cpu = Counted(), Counted()
    monkeypatch.setattr(metrics, "EVENT_LOOP_LAG", lag)
    monkeypatch.setattr(metrics, "CALL_CPU", cpu)
    state: dict[str, Any] = {"now": 100.0, "cpu": 7.0, "sleeps": 0}

    async def sleep(seconds: float) -> None:
        state["sleeps"] += 1
        state["cpu"] += 0.25
        if state["sleeps"] == 3:
            raise asyncio.CancelledError
        state["now"] += seconds + (0.04 if state["sleeps"] == 2 else 0.0)

    with pytest.raises(asyncio.CancelledError):
        await measure_process(sleep=sleep, clock=lambda: state["now"], cpu_time=lambda: state["cpu"])
    assert lag.values == [0.0, 0.04]
    assert cpu.values == [0.25, 0.25, 0.25]
