"""Call workers on one core with more and more callers at once, until they are too slow.

Each kind of worker is called at each level in turn, while the other has nothing to do: what changes on the machine over
the run meets both.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.latency.calls import room_token
from benchmarks.latency.profiles import Latencies, simulation
from benchmarks.latency.speech import clips
from benchmarks.latency.systems import System, environment, worker_service
from benchmarks.scaling.results import Level, Worker, is_slower
from benchmarks.scaling.usage import Family, Watch
from caller import CallError, CallOptions, Turn, Wav, call
from testbed.processes import ServiceError, free_port
from testbed.services import Ports, Service, agent_metrics, livekit_server, model_server, running

SETTLE = 5.0
"""Seconds for what a level starts to come to rest, and for each call's process on top: all are started on one core."""
SETTLE_EACH = 3.0
STAGGER = 5.0
"""Seconds in which the calls of a level begin to talk."""
PATIENCE = 60.0
MOST_CALLS = "1000"

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    systems: Sequence[System]
    levels: Sequence[int]
    turns: int
    """At least, of each system for each level."""
    seed: int
    folder: Path


async def run(options: RunOptions, say: Say) -> AsyncIterator[tuple[Mapping[str, Worker], int]]:
    """All that is measured, after each level of each system, with the number of agent-metrics' series.

    A system is called until it is too slow or a call fails.
    """
    core, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise ServiceError("this needs two cores: one for the workers, and one for who calls them")
    os.sched_setaffinity(0, others)  # and so all that is started from here, except the workers
    recordings = await clips()
    ports = Ports(free_port(), free_port(), free_port())
    parts = _parts(options, ports)
    workers = {system.name: _pinned(system, options, ports, core) for system in options.systems}
    async with running([*parts.values(), *workers.values()], options.folder, say) as children:
        families: dict[str, Family] = {name: Family(children[part.name].pid) for name, part in parts.items()}
        families["callers"] = _Ourselves(os.getpid())
        stage = _Stage(ports, recordings, random.Random(options.seed))
        measured = {system.name: Worker() for system in options.systems}
        for count in options.levels:
            for system in [system for system in options.systems if not _is_through(measured[system.name])]:
                family = Family(children[workers[system.name].name].pid)
                level = await _level(stage, system, count, options.turns, {**families, "worker": family})
                measured[system.name].levels.append(level)
                say(_line(system, level))
                yield measured, await _series(ports)


def _is_through(worker: Worker) -> bool:
    if not worker.levels:
        return False
    last = worker.levels[-1]
    return bool(last.failed) or is_slower(last, worker.levels[0])


class _Ourselves(Family):
    """The callers are in this process; its children are the other parts."""

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self.pid)]


def _parts(options: RunOptions, ports: Ports) -> dict[str, Service]:
    config = options.folder / "simulation.json"
    config.write_text(json.dumps(simulation(Latencies(), options.seed)))
    metrics = options.folder / "metrics"
    metrics.mkdir()
    return {
        "livekit": livekit_server(ports.livekit),
        "providers": model_server(ports.models, "--simulated", str(config)),
        "agent-metrics": agent_metrics(ports.metrics, metrics),
    }


def _pinned(system: System, options: RunOptions, ports: Ports, core: int) -> Service:
    env = {**environment(system, ports, options.folder, simulated=True), "WORKER_MAX_CALLS": MOST_CALLS}
    worker = worker_service(system, env)
    command = ["taskset", "--cpu-list", str(core), *worker.command]
    return Service(worker.name, command, worker.timeout, ready_line=worker.ready_line, env=worker.env)


@dataclass(frozen=True)
class _Stage:
    ports: Ports
    recordings: Sequence[Path]
    chance: random.Random


async def _level(stage: _Stage, system: System, count: int, turns: int, families: Mapping[str, Family]) -> Level:
    level = Level(count)
    for _ in range(-(-turns // (len(stage.recordings) * count))):
        await _talk(level, stage, system, families)
    return level


async def _talk(level: Level, stage: _Stage, system: System, families: Mapping[str, Family]) -> None:
    """One round of a level. What it uses is measured from when all have had a turn until the first one is through."""
    turns: list[list[Turn]] = [[] for _ in range(level.calls)]
    settled = SETTLE + SETTLE_EACH * level.calls
    calls = [
        asyncio.create_task(_call(stage, system, each, settled + stage.chance.uniform(0, STAGGER))) for each in turns
    ]
    while not all(turns) and not any(task.done() for task in calls):
        await asyncio.sleep(0.1)
    watch = Watch(families)
    while not any(len(each) >= len(stage.recordings) - 1 for each in turns) and not any(task.done() for task in calls):
        await asyncio.sleep(0.1)
    level.cores = dict(watch.cores())
    level.memory_mb = {name: family.memory_mb() for name, family in families.items()}
    level.failed += [error for error in await asyncio.gather(*calls) if error]
    level.gaps += [turn.response_gap for each in turns for turn in each if turn.response_gap is not None]


async def _call(stage: _Stage, system: System, turns: list[Turn], start: float) -> str | None:
    options = CallOptions(
        url=stage.ports.livekit_url,
        token=room_token(f"scaling-{uuid4().hex[:8]}", "caller", system.agent_name),
        utterances=[Wav(path) for path in stage.recordings],
        greeting_wait=start,
        connect_timeout=PATIENCE,
        agent_timeout=PATIENCE,
    )
    try:
        report = await call(options, turns.append)
    except CallError as error:
        return str(error)
    unanswered = sum(turn.first_heard is None for turn in report.turns)
    return f"{unanswered} turns without an answer" if unanswered else None


async def _series(ports: Ports) -> int:
    async with aiohttp.ClientSession() as http, http.get(ports.metrics_url) as response:
        return sum(len(family.samples) for family in text_string_to_metric_families(await response.text()))


def _line(system: System, level: Level) -> str:
    cores = " ".join(f"{name} {used:.2f}" for name, used in level.cores.items())
    return (
        f"{system.name}, {level.calls} calls: first sound p50 {level.percentile(50):.2f} s, "
        f"p95 {level.percentile(95):.2f} s; "
        f"cores: {cores}; worker {level.memory_mb['worker']:.0f} MB; failed: {level.failed or 'none'}"
    )
