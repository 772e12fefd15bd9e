"""Voice agents that are measured: this worker's strategies, and others for comparison."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.simulation import BACKEND_MODEL, FRONTEND_MODEL
from testbed.processes import Child
from testbed.services import ROOT, Ports, Service, worker_env

SMALL_MODEL_SETTINGS = ("SYSTEM_PROMPT", "PRERESPONSE_PROMPT", "ANSWER_MAX_TOKENS")
"""Settings of the testbed for its small real model; with simulated models a worker has its defaults instead."""
_SCRIPT = "fast-preresponse.py"
_TOOL_SCRIPT = "benchmarks/contenders/tool_worker.py"


@dataclass(frozen=True)
class System:
    """A voice agent.

    Attributes:
        name: Its name in options, results and reports.
        script: Path from the project's folder.
        env: Environment variables that distinguish this variant of the script.
        per_call: Whether a new process joins a given room for each call; others are workers that LiveKit dispatches.
        has_tool: Whether the agent has the tool of ``contenders/slow_tool.py``; it needs TOOL_SECONDS and TOOL_LOG.
        scripted: Whether it works with the simulated models only, which call its tool when they should.
        flux: Whether Deepgram Flux is the recogniser, and decides the end of the turn.
    """

    name: str
    script: str = _SCRIPT
    env: Mapping[str, str] = field(default_factory=dict)
    per_call: bool = False
    has_tool: bool = False
    scripted: bool = False
    flux: bool = False

    @property
    def agent_name(self) -> str:
        """The name as it can be used for files, rooms and LiveKit's dispatch."""
        return self.name.replace("/", "-")


def _agent_worker(strategy: str) -> System:
    return System(f"agent-worker/{strategy}", env={"PRERESPONSE_STRATEGY": strategy, "NO_GREETING": "true"})


_STOCK_SCRIPT = "benchmarks/contenders/stock_agent.py"
_STOCK_TOOL_SCRIPT = "benchmarks/contenders/stock_tool_agent.py"
_PIPECAT_SCRIPT = "benchmarks/contenders/pipecat_agent.py"
_WITH_BACKEND = {"PIPECAT_LLM": "backend", "FRONTEND_MODEL": FRONTEND_MODEL, "BACKEND_MODEL": BACKEND_MODEL}

TOOL_DEFAULT_SYSTEM = "agent-worker/tool"
"""This worker with a tool, and with default settings."""

SYSTEMS = {
    system.name: system
    for system in (
        *map(_agent_worker, ("hybrid", "phrase", "llm", "off")),
        System("seed", "benchmarks/contenders/seed_agent.py"),
        System("stock", _STOCK_SCRIPT),
        System("stock-preemptive-tts", _STOCK_SCRIPT, env={"PREEMPTIVE_TTS": "true"}),
        System("pipecat", _PIPECAT_SCRIPT, per_call=True),
        System("stock-timeout", "benchmarks/contenders/stock_timeout_agent.py"),
        System("stock-smart-turn", "benchmarks/contenders/stock_smart_turn_agent.py"),
        System("pipecat-rnnoise", _PIPECAT_SCRIPT, env={"PIPECAT_FILTER": "rnnoise"}, per_call=True),
        System("pipecat-min-words", _PIPECAT_SCRIPT, env={"PIPECAT_MIN_WORDS": "3"}, per_call=True),
        System("pipecat-backend", _PIPECAT_SCRIPT, env=_WITH_BACKEND, per_call=True, scripted=True),
        System(
            "agent-worker/flux",
            env={"TURN_DETECTOR": "stt", "DEEPGRAM_MODEL": "flux-general-en", "NO_GREETING": "true"},
            flux=True,
        ),
        System("stock-flux", "benchmarks/contenders/stock_flux_agent.py", flux=True),
        System("pipecat-flux", _PIPECAT_SCRIPT, env={"PIPECAT_STT": "flux"}, per_call=True, flux=True),
        System(TOOL_DEFAULT_SYSTEM, _TOOL_SCRIPT, env={"NO_GREETING": "true"}, has_tool=True),
        System(
            "agent-worker/tool-no-filler",
            _TOOL_SCRIPT,
            env={"NO_GREETING": "true", "FILLER_DELAY": "0"},
            has_tool=True,
        ),
        System("stock-filler", _STOCK_TOOL_SCRIPT, env={"FILLER": "once"}, has_tool=True),
        System("stock-filler-tuned", _STOCK_TOOL_SCRIPT, env={"FILLER": "rotating"}, has_tool=True),
        System("stock-filler-immediate", _STOCK_TOOL_SCRIPT, env={"FILLER": "immediate"}, has_tool=True),
        System("pipecat-speak", _PIPECAT_SCRIPT, per_call=True, has_tool=True),
        System("pipecat-backend-tool", _PIPECAT_SCRIPT, env=_WITH_BACKEND, per_call=True, has_tool=True, scripted=True),
    )
}


def environment(system: System, ports: Ports, folder: Path, *, simulated: bool = True) -> dict[str, str]:
    """Return a system's environment: the same servers, keys and prompts for each."""
    env = worker_env(ports, folder / "metrics")
    if simulated:
        env = {name: value for name, value in env.items() if name not in SMALL_MODEL_SETTINGS}
        env["PRERESPONSE_AUDIO_DIR"] = str(folder / "phrases")  # tones, not to be mixed with phrases of a real voice
    env |= {"AGENT_NAME": system.agent_name, "PYTHONPATH": str(ROOT), "WORKER_MAX_CALLS": "16", **system.env}
    if system.script not in (_SCRIPT, _TOOL_SCRIPT):
        del env["PROMETHEUS_MULTIPROC_DIR"]  # a worker of livekit-agents deletes the files there
    return env


def worker_service(system: System, env: Mapping[str, str]) -> Service:
    """Return the service of a system that is a worker."""
    command = [sys.executable, str(ROOT / system.script), "start"]
    return Service(f"{system.agent_name} worker", command, 300, ready_line="registered worker", env=env)


@contextlib.asynccontextmanager
async def agent_in_room(
    system: System, room: str, env: Mapping[str, str], python: str, folder: Path
) -> AsyncIterator[None]:
    """Run a ``per_call`` system in a room; it is ready for the caller when the context is entered.

    Raises:
        ServiceError: If it ends early or is not in the room after a minute.
    """
    command = [python, str(ROOT / system.script), "--room", room]
    child = await Child.start(room, command, env, folder / f"{room}.log")

    async def is_ready() -> bool:
        return "agent is in the room" in child.output()

    try:
        await child.wait_until(is_ready, 60, lambda _: None)
        yield
    finally:
        await child.stop()
