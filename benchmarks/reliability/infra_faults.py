"""Faults of LiveKit server, worker, processes, network, memory, file descriptors and disk."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.reliability.calls import LEAD_S, Call, make_call
from benchmarks.reliability.checks import Expectation
from benchmarks.reliability.testbed import REPLY_TIMEOUT_S, Testbed

_FIREWALLS = ("iptables", "ip6tables")

Action = Callable[[Testbed], Coroutine[Any, Any, None]]


async def _nothing(_: Testbed) -> None:
    pass


@dataclass(frozen=True)
class InfraCase:
    """A call before whose second turn something fails, on servers that no other case uses.

    Attributes:
        name: The case's name in the table.
        expectation: What must hold.
        before: Happens before the call.
        fault: Happens when the second turn starts.
        recovery: Happens when the third turn starts.
        mount: Mount options of a file system that contains only the metrics; needs root.
        leads: Silence before the caller speaks, for each turn, seconds.
        env: Settings of the worker.
    """

    name: str
    expectation: Expectation
    before: Action = _nothing
    fault: Action = _nothing
    recovery: Action = _nothing
    mount: str = ""
    leads: Sequence[float] = (0, LEAD_S, LEAD_S)
    env: Mapping[str, str] = field(default_factory=dict)
    alone: bool = True

    async def call(self, testbed: Testbed) -> Call:
        """Make the call."""
        await self.before(testbed)
        events = {1: functools.partial(self.fault, testbed), 2: functools.partial(self.recovery, testbed)}
        return await make_call(testbed, f"infra-{uuid4().hex[:8]}", self.leads, events)


def _stop_network(seconds: float) -> Action:
    async def stop(testbed: Testbed) -> None:
        """Drop all packets to and from LiveKit server; media have the two ports after its own."""
        port = testbed.ports.livekit
        rules = [
            ["INPUT", "--in-interface", "lo", "--protocol", protocol, side, str(number), "--jump", "DROP"]
            for number in (port, port + 1, port + 2)
            for protocol in ("tcp", "udp")
            for side in ("--sport", "--dport")
        ]
        try:
            await asyncio.to_thread(_change_firewall, "--append", rules)
            await asyncio.sleep(seconds)
        finally:
            await asyncio.shield(asyncio.to_thread(_change_firewall, "--delete", rules))

    return stop


def _change_firewall(change: str, rules: Iterable[list[str]]) -> None:
    for rule in rules:
        for program in _FIREWALLS:
            subprocess.run([program, "--wait", change, *rule], check=change == "--append", capture_output=True)


def _restart(name: str) -> Action:
    async def restart(testbed: Testbed) -> None:
        os.killpg(testbed.children[name].pid, signal.SIGKILL)
        await testbed.restart(name)

    return restart


def _signal(number: signal.Signals) -> Action:
    async def send(testbed: Testbed) -> None:
        os.kill(process_of_call(testbed), number)

    return send


async def _start_second_worker(testbed: Testbed) -> None:
    await testbed.start_another_worker()


async def _kill_worker(testbed: Testbed) -> None:
    parents = psutil.Process(process_of_call(testbed)).parents()
    next(parent for parent in parents if parent.pid in testbed.worker_pids).kill()


def _limit(kind: int, value: Callable[[psutil.Process, int], int]) -> Action:
    async def limit(testbed: Testbed) -> None:
        process = psutil.Process(process_of_call(testbed))
        hard = process.rlimit(kind)[1]
        process.rlimit(kind, (value(process, hard), hard))

    return limit


async def _stop_agent_metrics(testbed: Testbed) -> None:
    await testbed.children["agent-metrics"].stop()


async def _delete_metrics(testbed: Testbed) -> None:
    await asyncio.to_thread(shutil.rmtree, testbed.folder / "metrics")


def process_of_call(testbed: Testbed) -> int:
    """Return the newest process that has a job."""
    entries = [json.loads(line) for line in testbed.log().splitlines() if line.startswith("{")]
    not_calls = (0, *testbed.worker_pids)
    of_calls = [entry for entry in entries if entry.get("job_id") and entry.get("pid", 0) not in not_calls]
    return int(max(of_calls, key=lambda entry: str(entry["timestamp"]))["pid"])


_SPEAKS_AGAIN_AFTER_S = 10.0
"""What the caller says while no packet passes is lost; the caller waits and speaks again."""
_SPEECH_LOST = Expectation(
    failing=(1,), unnoticed=True, loses_usage=True, silence=REPLY_TIMEOUT_S + 1.0, agent_lost=True
)
_HARMLESS = Expectation(failing=(1,), unnoticed=True, uncounted=True)
_AGENT_KILLED = Expectation(failing=(1,), uncounted=True, silence=10.0, agent_lost=True)


def infra_cases() -> list[InfraCase]:
    """Return the cases that can be run on this machine: some need root or iptables."""
    is_root = os.geteuid() == 0
    cases = [
        InfraCase("LiveKit server killed and started again", _AGENT_KILLED, fault=_restart("LiveKit server")),
        *(map(_network_case, (1, 5, 15)) if is_root and all(map(shutil.which, _FIREWALLS)) else ()),
        InfraCase("process of the call killed (SIGKILL)", _AGENT_KILLED, fault=_signal(signal.SIGKILL)),
        InfraCase(
            "worker killed (SIGKILL), there is another", _AGENT_KILLED, before=_start_second_worker, fault=_kill_worker
        ),
        InfraCase(
            "process of the call takes too much memory (CALL_MEMORY_LIMIT_MB)",
            _AGENT_KILLED,
            fault=_signal(signal.SIGUSR2),
            env={"CALL_MEMORY_LIMIT_MB": "1000"},
        ),
        InfraCase(
            "process of the call gets no more memory (RLIMIT_AS)",
            _AGENT_KILLED,
            fault=_limit(resource.RLIMIT_AS, lambda process, _: process.memory_info().vms),
        ),
        InfraCase(
            "process of the call out of file descriptors",
            Expectation(failing=(1,), loses_usage=True),
            fault=_limit(resource.RLIMIT_NOFILE, lambda process, _: process.num_fds()),
            recovery=_limit(resource.RLIMIT_NOFILE, lambda _, hard: hard),
        ),
        InfraCase(
            "all providers killed and started again",
            Expectation(failing=(1,), uncounted=True),
            fault=_restart("model server"),
        ),
        InfraCase("agent-metrics down throughout", _HARMLESS, before=_stop_agent_metrics),
        InfraCase("metrics folder deleted in the call", _HARMLESS, fault=_delete_metrics),
    ]
    if is_root:
        cases += [
            InfraCase("metrics folder full", _HARMLESS, mount="size=64k"),
            InfraCase("metrics folder read-only", _HARMLESS, mount="ro"),
        ]
    return cases


def _network_case(seconds: float) -> InfraCase:
    is_over_before_speech = seconds <= LEAD_S
    return InfraCase(
        f"network stands still for {seconds:g} s",
        Expectation(failing=(1,), unnoticed=True, loses_usage=True) if is_over_before_speech else _SPEECH_LOST,
        fault=_stop_network(seconds),
        leads=(0, LEAD_S, LEAD_S if is_over_before_speech else _SPEAKS_AGAIN_AFTER_S),
    )
