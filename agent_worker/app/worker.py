"""The worker process: checks the settings, registers with LiveKit and runs a conversation for each call."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from livekit.agents import AgentServer, JobContext, cli

from agent_worker.app.call import run_call
from agent_worker.app.checkup import command
from agent_worker.core.compat.livekit import preload_first
from agent_worker.core.settings import BadSettingsError, Settings, SettingsT, load
from agent_worker.core.user_file import BadFileError
from agent_worker.lifecycle.duplicate_agent import accept
from agent_worker.lifecycle.process_death import watch_dead_jobs
from agent_worker.lifecycle.warm_up import (
    AGENT,
    METER,
    STACK,
    read_audio,
    retry_phrase_synthesis,
    synthesize_phrases,
    warm_up_process,
)
from agent_worker.providers.preflight import check
from agent_worker.providers.stack import StackDefinition, VoiceStack
from agent_worker.telemetry.metrics_service import serve_metrics
from agent_worker.telemetry.pricing import Prices

#: At this load of a worker, LiveKit server (`agents.target_load`) gives it no more calls, whatever threshold the worker
#: itself has: "no servers available" is in the server's log. The default of both.
_FULL = 0.7
#: Of a call's process, seconds. Several start at once with a worker, and a small machine takes its time.
_LONGEST_START = 60.0

_TALKING_COMMANDS = ("start", "dev", "connect", "console")
_LIVEKIT_FLAGS = {
    "livekit_url": "--url",
    "livekit_api_key": "--api-key",
    "livekit_api_secret": "--api-secret",
}


def run(stack: StackDefinition[SettingsT]) -> None:
    """Run the command line of a worker script. Without a subcommand it is ``start``.

    Exits with code 2 and one line for each problem if a setting is missing or wrong, or if a provider
    refuses its key or does not have the model.
    """
    if len(sys.argv) == 1:
        sys.argv.append("start")
    arguments = sys.argv[1:]
    if arguments[0] == "check":
        sys.exit(command.main(stack, arguments[1:], f"{Path(sys.argv[0]).name} check"))
    if arguments[0] not in _TALKING_COMMANDS or "--help" in arguments:
        cli.run_app(AgentServer())
        return
    try:
        settings = load(stack.settings_type, given_on_command_line(arguments))
        prices = Prices.load(settings.prices)
        asyncio.run(check(settings, stack.provider_probes(settings), with_livekit=arguments[0] != "console"))
        unspoken = asyncio.run(synthesize_phrases(stack.build(settings), settings, prices))
    except (BadSettingsError, BadFileError) as error:
        _exit_with(error.problems)
    if settings.metrics_port:
        serve_metrics(settings.metrics_port)
    server = build_server(settings, stack.build, prices)
    if unspoken:
        retry_phrase_synthesis(server, stack.build, settings, prices)
    cli.run_app(server)


def build_server(settings: SettingsT, build_stack: Callable[[SettingsT], VoiceStack], prices: Prices) -> AgentServer:
    # First in the process that calls' processes are forked from, before the plugins: they make livekit's metrics.
    preload_first("agent_worker.app.preload")
    server = AgentServer(
        ws_url=str(settings.livekit_url),
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        port=settings.worker_port,
        drain_timeout=settings.worker_drain_timeout,
        initialize_process_timeout=_LONGEST_START,
        job_memory_limit_mb=settings.call_memory_limit_mb or 0,
        preload_modules=[build_stack.__module__],
    )
    if settings.worker_max_calls is not None:
        server.load_fnc = functools.partial(_share_of_calls, settings.worker_max_calls)
        server.update_options(load_threshold=_FULL)
    watch_dead_jobs(server, settings)
    server.setup_fnc = functools.partial(warm_up_process, settings=settings, build_stack=build_stack, prices=prices)
    serve_call = functools.partial(_serve_call, settings=settings)
    server.rtc_session(serve_call, agent_name=settings.agent_name, on_request=accept)
    return server


def _share_of_calls(max_calls: int, server: AgentServer) -> float:
    return _FULL * min(len(server.active_jobs) / max_calls, 1.0)


async def _serve_call(job: JobContext, *, settings: Settings) -> None:
    made = job.proc.userdata
    await asyncio.to_thread(read_audio, made[AGENT], settings)  # there may be more of it than when the process began
    await run_call(job, made[STACK], made[AGENT], made[METER], settings)


def given_on_command_line(arguments: Sequence[str]) -> dict[str, Any]:
    """LiveKit's own flags stand above the environment; the console needs no LiveKit server and no port of its own."""
    given: dict[str, Any] = {}
    if arguments[0] == "console":
        nowhere = {"livekit_url": "ws://localhost:7880", "livekit_api_key": "-", "livekit_api_secret": "-"}
        given = {**nowhere, "worker_port": 0}
    for field, flag in _LIVEKIT_FLAGS.items():
        for index, argument in enumerate(arguments):
            if argument == flag and index + 1 < len(arguments):
                given[field] = arguments[index + 1]
            elif argument.startswith(f"{flag}="):
                given[field] = argument.removeprefix(f"{flag}=")
    return given


def _exit_with(problems: Sequence[str]) -> NoReturn:
    print(f"agent-worker cannot start: {len(problems)} problem(s) in its settings", file=sys.stderr)
    for problem in problems:
        print(f"  - {problem}", file=sys.stderr)
    raise SystemExit(2)
