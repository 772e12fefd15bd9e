"""What may go wrong with the parts of our own, and with the machine?"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.reliability.calls import LEAD, PATIENCE, Call, hold_call
from benchmarks.reliability.judge import Expectation
from benchmarks.reliability.network import can_be_cut, cut
from benchmarks.reliability.world import World

Mishap = Callable[[World], Coroutine[Any, Any, None]]


async def nothing(_: World) -> None:
    pass


@dataclass(frozen=True)
class MishapCase:
    """Something happens before the second turn of a call.

    Attributes:
        before: Happens before the call.
        happens: Happens as the second turn begins.
        after: Puts things in order again, as the third turn begins.
        mount: Options of a file system for the metrics of its own; needs root.
    """

    name: str
    expectation: Expectation
    before: Mishap = nothing
    happens: Mishap = nothing
    after: Mishap = nothing
    mount: str = ""
    leads: Sequence[float] = (0, LEAD, LEAD)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """What it does to its servers, no other call should suffer from."""
        return True

    async def hold(self, world: World) -> Call:
        await self.before(world)
        events = {1: lambda: self.happens(world), 2: lambda: self.after(world)}
        return await hold_call(world, f"mishap-{uuid4().hex[:8]}", self.leads, events)


def _pause(seconds: float) -> Mishap:
    async def pause(world: World) -> None:
        signalling = world.ports.livekit
        await cut((signalling, signalling + 1, signalling + 2), seconds)  # its media have the next two

    return pause


def _restart(name: str) -> Mishap:
    async def restart(world: World) -> None:
        os.killpg(world.children[name].pid, signal.SIGKILL)
        await world.start_again(name)

    return restart


async def _kill_process(world: World) -> None:
    os.kill(process_of_call(world), signal.SIGKILL)


async def _start_another_worker(world: World) -> None:
    await world.another_worker()


async def _kill_worker(world: World) -> None:
    parents = psutil.Process(process_of_call(world)).parents()
    next(parent for parent in parents if parent.pid in world.workers).kill()


async def _take_memory(world: World) -> None:
    os.kill(process_of_call(world), signal.SIGUSR2)


async def _no_descriptors(world: World) -> None:
    process = psutil.Process(process_of_call(world))
    process.rlimit(resource.RLIMIT_NOFILE, (process.num_fds(), process.rlimit(resource.RLIMIT_NOFILE)[1]))


async def _descriptors(world: World) -> None:
    process = psutil.Process(process_of_call(world))
    hard = process.rlimit(resource.RLIMIT_NOFILE)[1]
    process.rlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _no_memory(world: World) -> None:
    process = psutil.Process(process_of_call(world))
    process.rlimit(resource.RLIMIT_AS, (process.memory_info().vms, process.rlimit(resource.RLIMIT_AS)[1]))


async def _stop_agent_metrics(world: World) -> None:
    await world.children["agent-metrics"].stop()


async def _delete_metrics(world: World) -> None:
    await asyncio.to_thread(shutil.rmtree, world.folder / "metrics")


def process_of_call(world: World) -> int:
    """The newest process that has a job."""
    entries = [json.loads(line) for line in world.log().splitlines() if line.startswith("{")]
    of_calls = [entry for entry in entries if entry.get("job_id") and entry.get("pid", 0) not in (0, *world.workers)]
    return int(max(of_calls, key=lambda entry: str(entry["timestamp"]))["pid"])


#: What is said while nothing gets through is lost, and nobody can reply to it: the caller waits, and speaks again.
_AGAIN_AFTER = 10.0
_LOST = Expectation(failing=(1,), unnoticed=True, loses_usage=True, silence=PATIENCE + 1.0, agent_lost=True)
_UNCOUNTED = Expectation(failing=(1,), unnoticed=True, uncounted=True)


def mishap_cases() -> list[MishapCase]:
    pauses = [
        MishapCase(
            f"network stands still for {seconds:g} s",
            _LOST if seconds > LEAD else Expectation(failing=(1,), unnoticed=True, loses_usage=True),
            happens=_pause(seconds),
            leads=(0, LEAD, _AGAIN_AFTER if seconds > LEAD else LEAD),
        )
        for seconds in ((1, 5, 15) if can_be_cut() else ())
    ]
    killed = Expectation(failing=(1,), uncounted=True, silence=10.0, agent_lost=True)
    cases = [
        MishapCase("LiveKit server killed and started again", killed, happens=_restart("LiveKit server")),
        *pauses,
        MishapCase("process of the call killed (SIGKILL)", killed, happens=_kill_process),
        MishapCase(
            "worker killed (SIGKILL), there is another", killed, before=_start_another_worker, happens=_kill_worker
        ),
        MishapCase(
            "process of the call takes too much memory (CALL_MEMORY_LIMIT_MB)",
            killed,
            happens=_take_memory,
            env={"CALL_MEMORY_LIMIT_MB": "1000"},
        ),
        MishapCase("process of the call gets no more memory (RLIMIT_AS)", killed, happens=_no_memory),
        MishapCase(
            "process of the call out of file descriptors",
            Expectation(failing=(1,), loses_usage=True),
            happens=_no_descriptors,
            after=_descriptors,
        ),
        MishapCase(
            "all providers killed and started again",
            Expectation(failing=(1,), uncounted=True),
            happens=_restart("model server"),
        ),
        MishapCase("agent-metrics down throughout", _UNCOUNTED, before=_stop_agent_metrics),
        MishapCase("metrics folder deleted in the call", _UNCOUNTED, happens=_delete_metrics),
    ]
    if os.geteuid() == 0:  # a file system of its own
        cases += [
            MishapCase("metrics folder full", _UNCOUNTED, mount="size=64k"),
            MishapCase("metrics folder read-only", _UNCOUNTED, mount="ro"),
        ]
    return cases
