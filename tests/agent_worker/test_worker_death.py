from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from agent_worker.lifecycle.worker_death import redispatch_on_worker_death


def call(*, connected: bool) -> Any:
    room = Mock(isconnected=Mock(return_value=connected), local_participant=Mock(identity="agent-1"))
    return Mock(room=room)


async def end_process(job: Any) -> AsyncMock:
    """End a call process as livekit-agents does: every task is cancelled, and then awaited."""
    redispatch = AsyncMock()
    task = redispatch_on_worker_death(job, Mock(), redispatch=redispatch)
    asyncio.get_running_loop().call_soon(task.cancel)  # after the task's first step
    await asyncio.wait([task])
    return redispatch


async def test_process_that_loses_its_worker_dispatches_another_agent(capsys: pytest.CaptureFixture[str]) -> None:
    job = call(connected=True)
    redispatch = await end_process(job)
    _, dispatched, dead_identity, log = redispatch.await_args.args  # type: ignore[union-attr]
    assert (dispatched, dead_identity) == (job.job, "agent-1")
    log("cannot dispatch another agent yet")
    assert capsys.readouterr().err.splitlines() == [
        "agent-worker: the worker has died: another agent is dispatched",
        "agent-worker: cannot dispatch another agent yet",
    ]


async def test_process_of_a_call_that_has_ended_dispatches_no_agent() -> None:
    redispatch = await end_process(call(connected=False))
    redispatch.assert_not_called()
