"""Order of the sessions: one at a time, each in a process of its own, systems shuffled in each round."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil

from benchmarks.harness import results as files
from benchmarks.harness.cli import progress
from benchmarks.harness.clips import clips
from benchmarks.harness.in_process import PlanError, in_process
from benchmarks.harness.markdown import milliseconds
from benchmarks.harness.simulation import Latencies, simulation
from benchmarks.harness.systems import System, agent_in_room, environment, worker_service
from benchmarks.latency.transport_delay import measure_transport_delay
from benchmarks.rulers.results import Results, Session
from benchmarks.rulers.scenarios import scenarios, script
from testbed.processes import ServiceError
from testbed.services import Ports, livekit_server, running, simulated_models

_SESSION_TIMEOUT_S = 240


@dataclass(frozen=True)
class Cell:
    """One session to make: the fields of :class:`Session` that name it."""

    variant: str
    scenario: str
    system: str
    round: int


@dataclass(frozen=True)
class RunOptions:
    """What to measure.

    Attributes:
        systems: The voice agents.
        kinds: Variants of voicebench with the scenario for each.
        rounds: Sessions of each system, variant and scenario.
        out: The JSON file of the results.
        pipecat_python: Interpreter that has Pipecat.
    """

    systems: Sequence[System]
    kinds: Sequence[tuple[str, str]]
    rounds: int
    seed: int
    out: Path
    pipecat_python: str


def cells_of(options: RunOptions) -> list[Cell]:
    """Return the sessions in order; the same seed gives the same order."""
    order = random.Random(options.seed)
    found = []
    for number in range(options.rounds):
        cells = [Cell(*kind, system.name, number) for kind in options.kinds for system in options.systems]
        order.shuffle(cells)
        found += cells
    return found


async def run(options: RunOptions, results: Results) -> None:
    """Run every session with servers of their own, and save the results after each."""
    audio = await clips()
    played = scenarios(audio)
    simulated = simulation(Latencies(), options.seed)
    folder = Path(tempfile.mkdtemp(prefix="rulers-"))
    progress(f"logs: {folder}")
    (folder / "metrics").mkdir()
    ports = Ports.free()
    environments = {system.name: environment(system, ports, folder) for system in options.systems}
    workers = [worker_service(system, environments[system.name]) for system in options.systems if not system.per_call]
    models = simulated_models(ports.models, simulated, folder)
    # voicebench does not ask for the right to create its room
    async with running([livekit_server(ports.livekit, auto_create=True), models, *workers], folder, progress):
        results.transport_delay = await measure_transport_delay(ports.livekit_url)
        for cell in cells_of(options):
            system = next(system for system in options.systems if system.name == cell.system)
            await _configure(ports, simulated, script(cell.scenario, audio))
            psutil.cpu_percent()  # the next call covers the time from here
            env = environments[system.name]
            outcome = await _session(system, cell, played[cell.scenario], ports, env, options.pipecat_python, folder)
            session = Session(**asdict(cell), cpu_percent=psutil.cpu_percent(), **outcome)
            results.sessions.append(session)
            await asyncio.to_thread(files.save, options.out, results)
            progress(_line(session))


async def _configure(ports: Ports, simulated: Mapping[str, Any], utterances: Sequence[Mapping[str, Any]]) -> None:
    """Tell the simulated recogniser what is said; without utterances any sound is the next of its texts."""
    stt = {"*": {**simulated["stt"]["*"], "utterances": list(utterances)}}
    url = f"{ports.models_url.removesuffix('/v1')}/simulated/config"
    async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json={**simulated, "stt": stt}):
        pass


async def _session(
    system: System,
    cell: Cell,
    scenario: Mapping[str, Any],
    ports: Ports,
    env: Mapping[str, str],
    python: str,
    folder: Path,
) -> dict[str, Any]:
    room = f"{system.agent_name}-{uuid4().hex[:6]}"
    plan = {
        "url": ports.livekit_url,
        "room": room,
        "agent_name": "" if system.per_call else system.agent_name,
        "scenario": scenario,
        "variant": cell.variant,
    }
    try:
        async with contextlib.AsyncExitStack() as stack:
            if system.per_call:
                await stack.enter_async_context(agent_in_room(system, room, env, python, folder))
            asked = in_process("benchmarks.rulers.voicebench_call", plan, is_quiet=True)
            return await asyncio.wait_for(asked, _SESSION_TIMEOUT_S)
    except (ServiceError, PlanError, asyncio.TimeoutError) as error:
        return {"error": str(error) or "timeout"}


def _line(session: Session) -> str:
    gaps = " ".join(
        f"{row['voicebench']['response_latency_ms'] or 0:.0f}/{milliseconds(row['caller_gap'])}" for row in session.rows
    )
    return f"  {session.system:20} {session.scenario:9} {session.variant:16} {session.error or gaps}"
