"""Calls to workers on one core, more and more at once, until they are too slow.

At each level the workers are called in turn, while the other is idle, so that changes of the machine affect both.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.harness.calls import make_call
from benchmarks.harness.cli import progress
from benchmarks.harness.clips import clips
from benchmarks.harness.simulation import Latencies, simulation
from benchmarks.harness.systems import System, environment, worker_service
from benchmarks.harness.usage import CpuMeter, ProcessTree, holdings
from benchmarks.scaling.results import Level, Worker
from caller import Turn
from testbed.processes import ServiceError
from testbed.services import Ports, Service, agent_metrics, livekit_server, running, simulated_models

_SETTLE_S = 5.0
_JOIN_INTERVAL_S = 3.0
"""Processes of all calls start on the same core, and a worker takes no more at once than it has processes ready: the
callers join one after the other, and wait until all have come to rest."""
_STAGGER_S = 5.0
"""Period in which the calls of a level start to talk."""
_JOIN_TIMEOUT_S = 60.0
_POLL_S = 0.1
_ON_ONE_CORE = {"WORKER_MAX_CALLS": "1000", "NUM_CPUS": "1"}


@dataclass(frozen=True)
class RunOptions:
    """What to measure.

    Attributes:
        levels: Numbers of simultaneous calls.
        turns: At least, of each system at each level.
        folder: For logs and metrics.
    """

    systems: Sequence[System]
    levels: Sequence[int]
    turns: int
    seed: int
    folder: Path


async def run(options: RunOptions) -> AsyncIterator[tuple[Mapping[str, Worker], int]]:
    """Yield the workers' levels, and the number of agent-metrics' series, after each level of each system.

    A system is called until it is too slow or a call fails.

    Raises:
        ServiceError: If there are not two cores, or a service does not start.
    """
    core, *other_cores = sorted(os.sched_getaffinity(0))
    if not other_cores:
        raise ServiceError("this needs two cores: one for the workers, and one for the callers")
    os.sched_setaffinity(0, other_cores)  # also for everything started from here, except the workers
    audio = await clips()
    ports = Ports.free()
    parts = _parts(options, ports)
    services = {system.name: _pinned(system, options, ports, core) for system in options.systems}
    async with running([*parts.values(), *services.values()], options.folder, progress) as children:
        trees = {name: ProcessTree(children[part.name].pid) for name, part in parts.items()}
        trees["callers"] = ProcessTree(os.getpid(), with_descendants=False)  # the descendants are the other parts
        load = _Load(ports, audio, random.Random(options.seed))
        workers = {system.name: Worker() for system in options.systems}
        for calls in options.levels:
            for system in options.systems:
                worker = workers[system.name]
                if _is_finished(worker):
                    continue
                tree = ProcessTree(children[services[system.name].name].pid)
                level = await load.level(system, calls, options.turns, {**trees, "worker": tree})
                worker.levels.append(level)
                progress(_line(system, level))
                yield workers, await _count_series(ports)


def _is_finished(worker: Worker) -> bool:
    if not worker.levels:
        return False
    return bool(worker.levels[-1].failed) or worker.levels[-1].is_slower(worker.levels[0])


def _parts(options: RunOptions, ports: Ports) -> dict[str, Service]:
    metrics = options.folder / "metrics"
    metrics.mkdir()
    return {
        "livekit": livekit_server(ports.livekit),
        "providers": simulated_models(ports.models, simulation(Latencies(), options.seed), options.folder),
        "agent-metrics": agent_metrics(ports.metrics, metrics),
    }


def _pinned(system: System, options: RunOptions, ports: Ports, core: int) -> Service:
    service = worker_service(system, {**environment(system, ports, options.folder), **_ON_ONE_CORE})
    return replace(service, command=["taskset", "--cpu-list", str(core), *service.command])


@dataclass(frozen=True)
class _Load:
    """Simultaneous callers."""

    ports: Ports
    audio: Sequence[Path]
    random: random.Random

    async def level(self, system: System, calls: int, turns: int, trees: Mapping[str, ProcessTree]) -> Level:
        level = Level(calls)
        for _ in range(-(-turns // (len(self.audio) * calls))):
            await self._talk(level, system, trees)
        return level

    async def _talk(self, level: Level, system: System, trees: Mapping[str, ProcessTree]) -> None:
        """Make one round of calls; their usage is measured while each is between its first and its last turn."""
        turns: list[list[Turn]] = [[] for _ in range(level.calls)]
        settle_s = _SETTLE_S + _JOIN_INTERVAL_S * level.calls
        calls = []
        for number, each in enumerate(turns):
            joins_s = number * _JOIN_INTERVAL_S
            first_turn_s = settle_s - joins_s + self.random.uniform(0, _STAGGER_S)
            calls.append(asyncio.create_task(self._call(system, each, joins_s, first_turn_s)))
        while not all(turns) and not any(task.done() for task in calls):
            await asyncio.sleep(_POLL_S)
        meter = CpuMeter(trees)
        last = len(self.audio) - 1
        while not any(len(each) >= last for each in turns) and not any(task.done() for task in calls):
            await asyncio.sleep(_POLL_S)
        level.cores = dict(meter.cores())
        level.memory_mb = {name: holdings(tree.processes())["memory, MB"] for name, tree in trees.items()}
        level.failed += [error for error in await asyncio.gather(*calls) if error]
        level.gaps += [turn.response_gap for each in turns for turn in each if turn.response_gap is not None]

    async def _call(self, system: System, turns: list[Turn], joins_s: float, first_turn_s: float) -> str | None:
        await asyncio.sleep(joins_s)
        error = await make_call(
            self.ports.livekit_url,
            f"scaling-{uuid4().hex[:8]}",
            self.audio,
            turns.append,
            agent_name=system.agent_name,
            greeting_wait=first_turn_s,
            connect_timeout=_JOIN_TIMEOUT_S,
            agent_timeout=_JOIN_TIMEOUT_S,
        )
        unanswered = sum(turn.first_heard is None for turn in turns)
        return error or (f"{unanswered} turns without an answer" if unanswered else None)


async def _count_series(ports: Ports) -> int:
    async with aiohttp.ClientSession() as http, http.get(ports.metrics_url) as response:
        return sum(len(family.samples) for family in text_string_to_metric_families(await response.text()))


def _line(system: System, level: Level) -> str:
    cores = " ".join(f"{name} {used:.2f}" for name, used in level.cores.items())
    return (
        f"{system.name}, {level.calls} calls: first sound p50 {level.percentile(50):.2f} s, "
        f"p95 {level.percentile(95):.2f} s; "
        f"cores: {cores}; worker {level.memory_mb['worker']:.0f} MB; failed: {level.failed or 'none'}"
    )
