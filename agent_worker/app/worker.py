"""The worker process: checks the settings, registers with LiveKit and runs a conversation for each call."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from livekit.agents import AgentServer, JobContext, cli

from agent_worker.app import call_log, phrases
from agent_worker.app.call import run_call
from agent_worker.app.checkup import command
from agent_worker.core.compat.livekit import JsonAgentServer, preload_first
from agent_worker.core.freed_memory import return_freed_memory
from agent_worker.core.log import logger
from agent_worker.core.log_protection import protect_log
from agent_worker.core.settings import BadSettingsError, Settings, SettingsT, load
from agent_worker.core.user_file import BadFileError
from agent_worker.lifecycle.duplicate_agent import accept
from agent_worker.lifecycle.process_death import watch_dead_jobs
from agent_worker.lifecycle.recording import check_recording
from agent_worker.lifecycle.room_admission import page_rooms_only
from agent_worker.lifecycle.warm_up import (
    CallParts,
    complete_phrase_audio,
    load_audio,
    synthesize_first_texts,
    warm_up_process,
)
from agent_worker.lifecycle.worker_status import report_status
from agent_worker.providers.preflight import check
from agent_worker.providers.stack import StackDefinition, VoiceStack
from agent_worker.telemetry.list_prices import add_list_prices
from agent_worker.telemetry.metrics_service import check_metrics, serve_metrics
from agent_worker.telemetry.pricing import Prices
from agent_worker.turn_taking.endpointing import check_turn_detector, share_models

#: The load of a worker, from 0 to 1, at which LiveKit server gives it no more calls (`agents.target_load`), whatever
#: threshold the worker has: "no servers available" is in the server's log. The default of both.
_TARGET_LOAD = 0.7
#: How long a call process may take to start: several start at once with a worker, and small machines are slow.
_PROCESS_START_TIMEOUT_S = 60.0

_CALL_COMMANDS = ("start", "dev", "connect", "console")
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
    if arguments[0] == "call":
        sys.exit(call_log.main(arguments[1:], f"{Path(sys.argv[0]).name} call"))
    if arguments[0] == "phrases":
        sys.exit(phrases.main(stack, arguments[1:], f"{Path(sys.argv[0]).name} phrases"))
    if arguments[0] not in _CALL_COMMANDS or "--help" in arguments:
        cli.run_app(AgentServer())
        return
    try:
        settings = load(stack.settings_type, settings_of_command_line(arguments))
        check_metrics(settings)
        check_recording(settings)
        deciders = check_turn_detector(settings)
        own_prices = Prices.load(settings.prices)
        asyncio.run(check(settings, stack.provider_probes(settings), with_livekit=arguments[0] != "console"))
        voice_stack = stack.build(settings)
        prices = complete_prices(own_prices, voice_stack, settings.language)
        missing_audio = asyncio.run(synthesize_first_texts(voice_stack, settings, prices))
    except (BadSettingsError, BadFileError) as error:
        _exit_with(error.problems)
    # Not logged: the worker, which sets up logging, has not started yet.
    print(f"end of turn, TURN_DETECTOR={settings.turn_detector}: {deciders}", file=sys.stderr, flush=True)
    serve_metrics(settings)
    protect_log()
    share_models(settings, deciders)
    return_freed_memory()  # of the checks and the synthesis: 40 MB, which the worker does not need again
    server = build_server(settings, stack.build, prices)
    if missing_audio:
        complete_phrase_audio(server, stack.build, settings, prices)
    cli.run_app(server)


def complete_prices(own: Prices, stack: VoiceStack, language: str) -> Prices:
    """Return the prices with the list prices of the stack's models; say once which models have none."""
    prices, unknown = add_list_prices(own, stack, language)
    if unknown:
        logger.warning(
            "no list price of %s: its cost is counted at the default price; set yours in PRICES", ", ".join(unknown)
        )
    return prices


def build_server(settings: SettingsT, build_stack: Callable[[SettingsT], VoiceStack], prices: Prices) -> AgentServer:
    """Return the worker: its calls run :func:`agent_worker.app.call.run_call`, each in a process of its own."""
    preload_first("agent_worker.app.preload")  # before the plugins, which make livekit's metrics
    server = JsonAgentServer(
        ws_url=str(settings.livekit_url),
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        port=settings.worker_port,
        drain_timeout=settings.worker_drain_timeout,
        initialize_process_timeout=_PROCESS_START_TIMEOUT_S,
        job_memory_limit_mb=settings.call_memory_limit_mb or 0,
        preload_modules=[build_stack.__module__],
    )
    if settings.worker_max_calls is not None:
        server.load_fnc = functools.partial(_load_of_calls, settings.worker_max_calls)
        server.update_options(load_threshold=_TARGET_LOAD)
    watch_dead_jobs(server, settings)
    report_status(server, settings, _TARGET_LOAD)
    server.setup_fnc = functools.partial(warm_up_process, settings=settings, build_stack=build_stack, prices=prices)
    serve_call = functools.partial(_serve_call, settings=settings)
    secret = settings.livekit_api_secret.get_secret_value()
    on_request = page_rooms_only(secret, accept) if settings.worker_page_rooms_only else accept
    server.rtc_session(serve_call, agent_name=settings.agent_name, on_request=on_request)
    return server


def _load_of_calls(max_calls: int, server: AgentServer) -> float:
    """Return the worker's load: 0 without a call, :data:`_TARGET_LOAD` at ``max_calls`` or more."""
    return _TARGET_LOAD * min(len(server.active_jobs) / max_calls, 1.0)


async def _serve_call(job: JobContext, *, settings: Settings) -> None:
    parts = CallParts.of(job.proc)
    await asyncio.to_thread(load_audio, parts.agent, settings)  # more may be in the cache than at the process's start
    await run_call(job, parts.stack, parts.agent, parts.meter, settings)


def settings_of_command_line(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the settings that the command line overrides, by field name.

    LiveKit's own flags take precedence over the environment. The console needs no LiveKit server, and takes any port.
    """
    overrides: dict[str, Any] = {}
    if arguments[0] == "console":
        unused = {"livekit_url": "ws://localhost:7880", "livekit_api_key": "-", "livekit_api_secret": "-"}
        overrides = {**unused, "worker_port": 0}
    for field, flag in _LIVEKIT_FLAGS.items():
        for index, argument in enumerate(arguments):
            if argument == flag and index + 1 < len(arguments):
                overrides[field] = arguments[index + 1]
            elif argument.startswith(f"{flag}="):
                overrides[field] = argument.removeprefix(f"{flag}=")
    return overrides


def _exit_with(problems: Sequence[str]) -> NoReturn:
    print(f"agent-worker cannot start: {len(problems)} problem(s) in its settings", file=sys.stderr)
    for problem in problems:
        print(f"  - {problem}", file=sys.stderr)
    raise SystemExit(2)
