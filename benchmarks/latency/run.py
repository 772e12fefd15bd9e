"""In which order is everybody called, and how many at a time?

Calls go in waves. Those of a wave join together, wait until the processes that their joining started have come to rest,
and then talk at the same time: nothing is measured while a process starts. Each caller is a process too, so that one
does not hear late because another is listening. A wave is filled from one round, in which each system has one call, in
an order drawn anew for each round: what changes on the machine over the run meets all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.latency import results as raw
from benchmarks.latency.caller_process import call_apart
from benchmarks.latency.calls import CallPlan, CallResult
from benchmarks.latency.profiles import Profile, simulation
from benchmarks.latency.results import Cell, Results
from benchmarks.latency.speech import UTTERANCES, clips
from benchmarks.latency.systems import System, environment, in_the_room, worker_service
from benchmarks.latency.way import measure_way
from testbed.processes import ServiceError, free_port
from testbed.services import Ports, Service, livekit_server, model_server, running

SETTLE = 5.0
"""Seconds from joining to the first turn."""
STAGGER = 2.5
"""Seconds between the first turns of two calls of a wave, so that their ends of turn do not all fall together."""
QUIET = 1.0
ATTEMPTS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    profiles: Sequence[Profile]
    systems: Sequence[System]
    turns: int
    """For each system in each profile."""
    parallel: int
    seed: int
    out: Path
    pipecat_python: str
    about: Mapping[str, Any]
    """Where and with what: of each profile, as they may be measured on different days."""

    @property
    def rounds(self) -> int:
        return -(-self.turns // len(UTTERANCES))


async def run(options: RunOptions, results: Results, say: Say) -> None:
    """Make every call that `results` does not have yet."""
    audio = await clips()
    for profile in options.profiles:
        waves = [wave for wave in plan(options, profile) if any(cell not in results.done() for cell in wave)]
        if waves:
            await _run_profile(options, profile, waves, results, audio, say)


def plan(options: RunOptions, profile: Profile) -> list[list[Cell]]:
    """The waves of a profile. The same seed gives the same order."""
    chance = random.Random(f"{options.seed}/{profile.name}")
    size = min(options.parallel, profile.max_parallel)
    waves: list[list[Cell]] = []
    for number in range(options.rounds):
        cells = [Cell(profile.name, system.name, number) for system in options.systems]
        chance.shuffle(cells)
        waves += _split(cells, size)
    return waves


def _split(cells: Sequence[Cell], size: int) -> Iterator[list[Cell]]:
    """In waves of about the same size, none greater than `size`."""
    count = -(-len(cells) // size)
    for i in range(count):
        yield list(cells[i::count])


async def _run_profile(
    options: RunOptions,
    profile: Profile,
    waves: Sequence[Sequence[Cell]],
    results: Results,
    audio: Sequence[Path],
    say: Say,
) -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"latency-{profile.name}-"))
    (folder / "metrics").mkdir()
    say(f"{profile.name}: {profile.about} (logs: {folder})")
    ports = Ports(livekit=free_port(), models=free_port())
    exchange = _Exchange(options, profile, ports, folder, audio)
    async with running(_services(options, profile, ports, folder), folder, say):
        if profile.name not in results.profiles:
            way = await measure_way(ports.livekit_url)
            results.profiles[profile.name] = {**options.about, "began": now(), "way": way}
        for number, wave in enumerate(waves, 1):
            await _wave(exchange, [cell for cell in wave if cell not in results.done()], results, say)
            await asyncio.to_thread(raw.write, results, options.out)
            say(f"{profile.name}: wave {number} of {len(waves)} done")


def _services(options: RunOptions, profile: Profile, ports: Ports, folder: Path) -> list[Service]:
    arguments: tuple[str, ...] = ()
    if profile.latencies is not None:
        config = folder / "simulation.json"
        config.write_text(json.dumps(simulation(profile.latencies, options.seed), indent=2))
        arguments = ("--simulated", str(config))
    workers = [
        worker_service(system, environment(system, ports, folder, simulated=profile.simulated))
        for system in options.systems
        if not system.per_call
    ]
    return [livekit_server(ports.livekit), model_server(ports.models, *arguments), *workers]


@dataclass(frozen=True)
class _Exchange:
    """What it takes to call any of the systems."""

    options: RunOptions
    profile: Profile
    ports: Ports
    folder: Path
    audio: Sequence[Path]

    def system(self, cell: Cell) -> System:
        return next(system for system in self.options.systems if system.name == cell.system)

    @contextlib.asynccontextmanager
    async def agent(self, cell: Cell, room: str) -> AsyncIterator[None]:
        """The agent is ready to be called: in the room, or with a worker that is."""
        system = self.system(cell)
        if not system.per_call:
            yield
            return
        env = environment(system, self.ports, self.folder, simulated=self.profile.simulated)
        async with in_the_room(system, room, env, self.options.pipecat_python, self.folder):
            yield

    def call_plan(self, cell: Cell, room: str, position: int) -> CallPlan:
        system = self.system(cell)
        return CallPlan(
            url=self.ports.livekit_url,
            room=room,
            agent_name="" if system.per_call else system.agent_name,
            clips=[str(path) for path in self.audio],
            settle=SETTLE + position * STAGGER,
            quiet=QUIET,
            tones=self.profile.simulated,
        )


async def _wave(exchange: _Exchange, cells: Sequence[Cell], results: Results, say: Say) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        psutil.cpu_percent()  # the next one is of the time from here
        began = now()
        outcomes = await _call_all(exchange, cells)
        cpu = psutil.cpu_percent()
        for cell, outcome in zip(cells, outcomes, strict=True):
            counts = outcome.error is None or attempt == ATTEMPTS
            results.add(cell, outcome, counts, attempt=attempt, began=began, cpu_percent=cpu, at_once=len(cells))
            say(_line(cell, outcome))
        cells = [cell for cell, outcome in zip(cells, outcomes, strict=True) if outcome.error is not None]
        if not cells:
            return


async def _call_all(exchange: _Exchange, cells: Sequence[Cell]) -> list[CallResult]:
    rooms = [f"{exchange.system(cell).agent_name}-{cell.round}-{uuid4().hex[:6]}" for cell in cells]
    async with contextlib.AsyncExitStack() as stack:
        failed: dict[Cell, str] = {}
        for cell, room in zip(cells, rooms, strict=True):
            try:
                await stack.enter_async_context(exchange.agent(cell, room))
            except ServiceError as error:
                failed[cell] = str(error)

        async def one(position: int) -> CallResult:
            cell = cells[position]
            if cell in failed:
                return CallResult.of([], failed[cell])
            return await call_apart(exchange.call_plan(cell, rooms[position], position))

        return await asyncio.gather(*(one(position) for position in range(len(cells))))


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _line(cell: Cell, outcome: CallResult) -> str:
    def milliseconds(value: float | None) -> str:
        return "-" if value is None else f"{value * 1000:.0f}"

    gaps = " ".join(f"{milliseconds(row.response_gap)}/{milliseconds(row.answer_gap)}" for row in outcome.rows)
    return f"  {cell.system:22} {outcome.error or gaps}"
