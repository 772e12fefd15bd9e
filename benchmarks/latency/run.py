"""Order and concurrency of the calls.

Calls are made in waves. Those of a wave join together, wait until the processes that started have come to rest, and
then talk at the same time, so that nothing is measured while a process starts. A wave contains calls of one round; a
round has one call of each system, in an order shuffled anew, so that changes of the machine affect all systems.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil

from benchmarks.harness import results as files
from benchmarks.harness.cli import progress
from benchmarks.harness.clips import UTTERANCES, clips
from benchmarks.harness.markdown import milliseconds
from benchmarks.harness.simulation import Latencies, simulation
from benchmarks.harness.systems import System, agent_in_room, environment, worker_service
from benchmarks.latency.calls import CallPlan, CallResult, call_in_process
from benchmarks.latency.interruptions import OverSound, scripts, sounds_of
from benchmarks.latency.people import TURNS_PER_CALL, PersonTurn, turns_of
from benchmarks.latency.phone import lossy_clip
from benchmarks.latency.profiles import PHONE_LOSS, Profile
from benchmarks.latency.results import Cell, Results
from benchmarks.latency.transport_delay import measure_transport_delay
from testbed.processes import ServiceError
from testbed.services import (
    SMALL_MODELS,
    Ports,
    Service,
    livekit_server,
    real_models,
    running,
    simulated_models,
)

_SETTLE_S = 5.0
"""From joining to the first turn."""
_STAGGER_S = 2.5
"""Between the first turns of two calls of a wave, so that their ends of turn do not coincide."""
_QUIET_S = 1.0
_INTERRUPTED_QUIET_S = 3.0
"""livekit-agents goes on after 2 s of silence."""
_TOOL_QUIET_S = 3.0
"""In addition to the time that a tool takes: not every agent publishes that it is still at work."""
_MAX_ATTEMPTS = 2


@dataclass(frozen=True)
class RunOptions:
    """What to measure.

    Attributes:
        turns: For each system in each profile.
        parallel: Simultaneous calls.
        out: The JSON file of the results.
        pipecat_python: Interpreter that has Pipecat.
        about: Description of the run, saved with each profile.
        recordings: Folder of recordings of people, for the profiles with these callers.
    """

    profiles: Sequence[Profile]
    systems: Sequence[System]
    turns: int
    parallel: int
    seed: int
    out: Path
    pipecat_python: str
    about: Mapping[str, Any]
    recordings: Path | None = None


async def run(options: RunOptions, results: Results, people: Sequence[PersonTurn] = ()) -> None:
    """Make every call that is missing in ``results``.

    Args:
        options: What to measure.
        results: What is measured already; it grows.
        people: What the callers of the profile ``people`` say, if the options name no recordings.
    """
    audio = await clips()
    for profile in options.profiles:
        waves = [wave for wave in waves_of(options, profile) if any(cell not in results.done() for cell in wave)]
        if waves:
            folder = Path(tempfile.mkdtemp(prefix=f"latency-{profile.name}-"))
            progress(f"{profile.name}: {profile.about} (logs: {folder})")
            ports = Ports.free()
            said = await _recordings(options, profile) or (list(people) if profile.people else [])
            await _Run(options, profile, ports, folder, _over_line(audio, profile, folder), results, said).run(waves)


async def _recordings(options: RunOptions, profile: Profile) -> list[PersonTurn] | list[OverSound]:
    """Return what people are heard with in a profile; nothing if its callers are synthetic."""
    if options.recordings is None or not profile.by_recordings:
        return []
    found = turns_of if profile.people else sounds_of
    return await found(options.recordings, options.seed)


def _over_line(audio: Sequence[Path], profile: Profile, folder: Path) -> list[Path]:
    return [lossy_clip(clip, PHONE_LOSS, folder) for clip in audio] if profile.phone else list(audio)


def waves_of(options: RunOptions, profile: Profile) -> list[list[Cell]]:
    """Return the waves of a profile, of nearly equal size; the same seed gives the same order."""
    shuffle = random.Random(f"{options.seed}/{profile.name}").shuffle
    waves: list[list[Cell]] = []
    for number in range(-(-options.turns // len(UTTERANCES))):
        cells = [Cell(profile.name, system.name, number) for system in options.systems if profile.measures(system)]
        shuffle(cells)
        count = -(-len(cells) // min(options.parallel, profile.max_parallel))
        waves += [cells[i::count] for i in range(count)]
    return waves


@dataclass(frozen=True)
class _Run:
    """The calls of one profile, on servers of their own."""

    options: RunOptions
    profile: Profile
    ports: Ports
    folder: Path
    audio: Sequence[Path]
    results: Results
    recorded: list[PersonTurn] | list[OverSound]

    async def run(self, waves: Sequence[Sequence[Cell]]) -> None:
        name, results = self.profile.name, self.results
        (self.folder / "metrics").mkdir()
        async with running(self._services(), self.folder, progress):
            if name not in results.profiles:
                delay = await measure_transport_delay(self.ports.livekit_url) + self.profile.line_delay_s
                results.profiles[name] = {**self.options.about, "began": _now(), "transport_delay": delay}
            for number, wave in enumerate(waves, 1):
                await self._wave([cell for cell in wave if cell not in results.done()])
                await asyncio.to_thread(files.save, self.options.out, results)
                progress(f"{name}: wave {number} of {len(waves)} done")

    def _services(self) -> list[Service]:
        latencies, port = self.profile.latencies, self.ports.models
        models = (
            real_models(port, replace(SMALL_MODELS, voice="kokoro"))
            if latencies is None
            else simulated_models(port, self._simulation(latencies), self.folder)
        )
        systems = [system for system in self.options.systems if self.profile.measures(system)]
        workers = [worker_service(system, self._environment(system)) for system in systems if not system.per_call]
        return [livekit_server(self.ports.livekit), models, *workers]

    def _simulation(self, latencies: Latencies) -> dict[str, Any]:
        return simulation(
            latencies,
            self.options.seed,
            calls_tool=self.profile.tool_s is not None,
            long_answers=self.profile.interrupts,
        )

    def _environment(self, system: System) -> dict[str, str]:
        env = environment(system, self.ports, self.folder, simulated=self.profile.simulated)
        if self.profile.tool_s is not None:
            env |= {"TOOL_SECONDS": f"{self.profile.tool_s:g}", "TOOL_LOG": str(self._tool_log)}
        return env

    @property
    def _tool_log(self) -> Path:
        return self.folder / "tool.log"

    def _recorded(self, number: int) -> Sequence[PersonTurn | OverSound]:
        """Return what people are heard with in the calls of a round: the same for each system."""
        if not self.recorded:
            return ()
        turns = range(number * TURNS_PER_CALL, min((number + 1) * TURNS_PER_CALL, self.options.turns))
        return [self.recorded[turn % len(self.recorded)] for turn in turns]

    async def _configure(self, number: int) -> None:
        """Tell the simulated recogniser what the callers of a round say."""
        if self.profile.latencies is None or not self.recorded:
            return
        config = self._simulation(self.profile.latencies)
        config["stt"]["*"] |= {"utterances": _scripts(self._recorded(number)), "detector": "silero"}
        url = f"{self.ports.models_url.removesuffix('/v1')}/simulated/config"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json=config):
            pass

    async def _wave(self, cells: Sequence[Cell]) -> None:
        if cells:
            await self._configure(cells[0].round)
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            psutil.cpu_percent()  # the next call covers the time from here
            began = _now()
            outcomes = await self._call_all(cells)
            cpu = psutil.cpu_percent()
            failed = []
            for cell, outcome in zip(cells, outcomes, strict=True):
                counts = outcome.error is None or attempt == _MAX_ATTEMPTS
                call = {"attempt": attempt, "began": began, "cpu_percent": cpu, "at_once": len(cells)}
                self.results.add(cell, outcome, counts, **call)
                progress(_line(cell, outcome))
                if outcome.error is not None:
                    failed.append(cell)
            if not failed:
                return
            cells = failed

    async def _call_all(self, cells: Sequence[Cell]) -> list[CallResult]:
        systems = [next(system for system in self.options.systems if system.name == cell.system) for cell in cells]
        rooms = [f"{system.agent_name}-{uuid4().hex[:6]}" for system in systems]
        async with contextlib.AsyncExitStack() as stack:
            errors = [
                await stack.enter_async_context(self._agent(system, room))
                for system, room in zip(systems, rooms, strict=True)
            ]

            async def result(position: int) -> CallResult:
                if error := errors[position]:
                    return CallResult.of([], error)
                plan = self._plan(systems[position], rooms[position], position, cells[position].round)
                return await call_in_process(plan)

            return await asyncio.gather(*map(result, range(len(cells))))

    @contextlib.asynccontextmanager
    async def _agent(self, system: System, room: str) -> AsyncIterator[str | None]:
        """Have a ``per_call`` system in the room; yield why it is not there."""
        async with contextlib.AsyncExitStack() as stack:
            error = None
            if system.per_call:
                env = self._environment(system)
                agent = agent_in_room(system, room, env, self.options.pipecat_python, self.folder)
                try:
                    await stack.enter_async_context(agent)
                except ServiceError as failed:
                    error = str(failed)
            yield error

    def _plan(self, system: System, room: str, position: int, number: int) -> CallPlan:
        recorded = self._recorded(number)
        people = [turn for turn in recorded if isinstance(turn, PersonTurn)]
        return CallPlan(
            url=self.ports.livekit_url,
            room=room,
            agent_name="" if system.per_call else system.agent_name,
            # The first turn of a person's call does not count: livekit-agents mutes the recogniser in the first 3 s of
            # the agent's speech in a call.
            clips=[str(self.audio[0]), *(turn.clip for turn in people)] if people else list(map(str, self.audio)),
            settle_s=_SETTLE_S + position * _STAGGER_S,
            quiet_s=self._quiet_s(),
            tones=self.profile.simulated,
            people=people,
            sounds=[sound for sound in recorded if isinstance(sound, OverSound)],
            phone=self.profile.phone,
            line_delay_s=self.profile.line_delay_s,
            tool_log="" if self.profile.tool_s is None else str(self._tool_log),
        )

    def _quiet_s(self) -> float:
        if self.profile.interrupts:
            return _INTERRUPTED_QUIET_S
        return _QUIET_S if self.profile.tool_s is None else self.profile.tool_s + _TOOL_QUIET_S


def _scripts(recorded: Sequence[PersonTurn | OverSound]) -> list[Mapping[str, Any]]:
    """Return what the recogniser delivers in a call, in its order."""
    people = [turn.script for turn in recorded if isinstance(turn, PersonTurn)]
    first = {"words": [{"text": UTTERANCES[0], "start": 0, "end": 1.2}], "seconds": 4}  # with some of the silence
    return [first, *people] if people else scripts([it for it in recorded if isinstance(it, OverSound)])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _line(cell: Cell, outcome: CallResult) -> str:
    gaps = " ".join(f"{milliseconds(row.response_gap)}/{milliseconds(row.answer_gap)}" for row in outcome.rows)
    return f"  {cell.system:22} {outcome.error or gaps}"
