"""``python -m demo [--once]``: run a scripted conversation, then keep the agent running for the user to call."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports, which take seconds, leaves no traceback

import argparse
import asyncio
import contextlib
import dataclasses
import io
import json
import logging
import os
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from caller import CallError
from demo.script import SCRIPT, problems_of
from demo.sizing import Fit, choose, llm_threads
from demo.terminal import Terminal
from model_server.checksum import WeightsError
from model_server.fetch import fetch_models
from model_server.measure import MachineFigures, usable_cores
from model_server.real import DEFAULT_FAST_MODEL, DEFAULT_MAIN_MODEL, DEFAULT_VOICE, VOICES, ModelChoice
from model_server.weights import LANGUAGE_MODELS, file_bytes, language_model_name
from page_server.settings import is_built
from testbed.conversation import TurnResult, converse
from testbed.processes import Child, ServiceError, require_free_port, stop_on_signals
from testbed.services import API_KEY, API_SECRET, ROOT, Ports, running, whole_system

WORKER_SCRIPT = "fast-preresponse-ollama.py"
WORKER_SETTINGS = {
    # Short sentences: the voice begins with a whole sentence, for which a slow machine needs seconds.
    "SYSTEM_PROMPT": "You are on the phone. Answer in at most two short sentences, each with at most ten words.",
    "TURN_LOG": "timing",
}
REPORT = Path("demo-report.json")
SIZES = ("auto", "small", "full")
_EXIT_INTERRUPTED = 130
_MAX_PORT = 65_533  # LiveKit takes the two above its own as well
_OFF = "off"


async def demo(args: argparse.Namespace, terminal: Terminal) -> int:
    """Run the demo and return its exit code: 0 if every turn was good."""
    ports = _ports()
    models = await _models(args, terminal)
    folder = Path(tempfile.mkdtemp(prefix="agent-worker-demo-"))
    terminal.line(f"logs are in {folder}")
    async with _everything(ports, models, folder, terminal, args.open) as children:
        good, report = await _compare(ports, models, terminal)
        memory_mb = {name: round(child.memory_mb()) for name, child in children.items()}
        terminal.line(await asyncio.to_thread(_write_report, {**report, "memory_mb": memory_mb}))
        if not args.once:
            _print_how_to_call(ports)
            await asyncio.Event().wait()
        return 0 if good else 1


async def _models(args: argparse.Namespace, terminal: Terminal) -> ModelChoice:
    """Measure the machine, choose the models that fit it, and download what is missing."""
    threads = args.llm_threads or llm_threads(usable_cores())
    main, fast = _absolute(args.main_model), _absolute(args.fast_model)
    main_bytes, _ = file_bytes(main), file_bytes(fast)  # a wrong path ends the demo here
    await fetch_models([fast], terminal.console)
    with terminal.step("measuring this machine"):
        figures = await _measure(fast, args.voice, threads)
    wish = {"auto": None, "small": True, "full": False}[args.size]
    if args.size == "auto" and main not in LANGUAGE_MODELS:
        wish = False  # the user's own model
    fit = choose(figures, main_bytes, wish)
    answering = fast if fit.small else main
    _print_fit(fit, answering, terminal)
    await fetch_models([answering], terminal.console)
    return ModelChoice(answering, fast, args.voice, threads)


def _absolute(model: str) -> str:
    """Return a model's path so that it means the same in a process with another working folder."""
    return model if model in LANGUAGE_MODELS else str(Path(model).absolute())


def _print_fit(fit: Fit, answering: str, terminal: Terminal) -> None:
    terminal.line(fit.reason)
    quality = {
        DEFAULT_FAST_MODEL: ": short answers, and some are wrong; a real deployment runs a far larger model",
        DEFAULT_MAIN_MODEL: ": sensible short answers; a real deployment runs a far larger model",
    }
    terminal.line(f"{language_model_name(answering)} answers{quality.get(answering, '')}")


async def _measure(model: str, voice: str, threads: int) -> MachineFigures:
    arguments = ("--model", model, "--voice", voice, "--llm-threads", str(threads))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "model_server.measure", *arguments),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the other
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ServiceError(_measurement_failure(process.returncode or 0, errors.decode(errors="replace")))
    return MachineFigures(**json.loads(output.splitlines()[-1]))


def _measurement_failure(code: int, errors: str) -> str:
    if code == -signal.SIGILL:
        return "the models cannot run on this CPU: they need AVX2, which CPUs have had since 2013"
    if code == -signal.SIGKILL:
        return "the measurement was killed, probably because memory ran out: close other programs, or take SIZE=small"
    return (errors.strip().splitlines() or [f"the measurement ended with code {code}"])[-1]


@contextlib.asynccontextmanager
async def _everything(
    ports: Ports, models: ModelChoice, folder: Path, terminal: Terminal, open_page: bool
) -> AsyncIterator[dict[str, Child]]:
    services = whole_system(WORKER_SCRIPT, ports, folder / "metrics", WORKER_SETTINGS, models)
    async with contextlib.AsyncExitStack() as stack:
        children: dict[str, Child] = {}
        for service in services:
            with terminal.step(f"starting {service.name}") as detail:
                started = await stack.enter_async_context(running([service], folder, waiting=detail))
            children.update(started)
            if service.name == "page server":
                terminal.line(f"the page is up: {ports.page_url}")
        if is_built() and open_page:
            await asyncio.to_thread(webbrowser.open, ports.page_url)
        yield children


def _write_report(report: dict[str, Any]) -> str:
    """Return where the report is, or why it is not there: the demo goes on without it."""
    try:
        REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        return f"no report: {REPORT.absolute()} cannot be written ({error.strerror})"
    return f"report: {REPORT}"


async def _compare(ports: Ports, models: ModelChoice, terminal: Terminal) -> tuple[bool, dict[str, Any]]:
    """Run the conversation with and without pre-responses; return whether every turn was good, and the report."""
    terminal.line("a caller has a conversation")
    on, problems = await _converse(ports, terminal, preresponses=True)
    terminal.console.print()
    terminal.line("the same conversation without pre-responses")
    off, problems_off = await _converse(ports, terminal, preresponses=False)
    terminal.comparison(SCRIPT, on, off)
    failures = [f"turn {number} ({SCRIPT[number - 1].purpose}): {problem}" for number, problem in problems]
    failures += [f"turn {n} ({SCRIPT[n - 1].purpose}), without pre-responses: {problem}" for n, problem in problems_off]
    good = sum(number not in {failed for failed, _ in problems} for number in range(1, len(on) + 1))
    terminal.line(f"{good} of {len(SCRIPT)} turns were good with pre-responses")
    for failure in failures:
        terminal.line(failure)
    report = {
        "ok": not failures,
        "models": dataclasses.asdict(models),
        "turns": [dataclasses.asdict(turn) for turn in on],
        "turns_without_preresponses": [dataclasses.asdict(turn) for turn in off],
        "problems": failures,
    }
    return not failures, report


async def _converse(
    ports: Ports, terminal: Terminal, *, preresponses: bool
) -> tuple[list[TurnResult], list[tuple[int, str]]]:
    """Return the turns, and their problems by the number of the turn."""
    seen: list[TurnResult] = []
    problems: list[tuple[int, str]] = []

    def on_turn(result: TurnResult) -> None:
        turn = SCRIPT[len(seen)]
        found = problems_of(turn, result, seen, preresponses)
        seen.append(result)
        problems.extend((len(seen), problem) for problem in found)
        terminal.turn(turn, result, found)

    room = "demo" if preresponses else "demo-without"
    await converse(ports, room, [turn.utterance for turn in SCRIPT], on_turn, None if preresponses else _OFF)
    problems += [(number, "it did not happen") for number in range(len(seen) + 1, len(SCRIPT) + 1)]
    return seen, problems


def _ports() -> Ports:
    default = Ports()
    ports = Ports(
        livekit=_port("DEMO_LIVEKIT_PORT", default.livekit),
        models=_port("DEMO_MODELS_PORT", default.models),
        metrics=_port("DEMO_METRICS_PORT", default.metrics),
        page=_port("DEMO_PAGE_PORT", default.page),
        guard=_port("DEMO_GUARD_PORT", default.guard),
    )
    for port in range(ports.livekit, ports.livekit + 3):
        require_free_port(port, "the LiveKit server", "DEMO_LIVEKIT_PORT")
    require_free_port(ports.models, "the model server", "DEMO_MODELS_PORT")
    require_free_port(ports.metrics, "agent-metrics", "DEMO_METRICS_PORT")
    require_free_port(ports.guard, "the call guard", "DEMO_GUARD_PORT")
    if is_built():
        require_free_port(ports.page, "the page", "DEMO_PAGE_PORT")
    return ports


def _port(setting: str, default: int) -> int:
    text = os.environ.get(setting) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MAX_PORT:
        raise ServiceError(f"{setting}={text} is no port: it has to be a number from 1 to {_MAX_PORT}")
    return int(text)


def _print_how_to_call(ports: Ports) -> None:
    page = f"open {ports.page_url}" if is_built() else "`make page` builds a page for it, if Node.js is there"
    print(
        f"""
Everything stays up. Talk to the agent yourself:
  in a browser   {page}
  by a sentence  LIVEKIT_URL={ports.livekit_url} LIVEKIT_API_KEY={API_KEY} LIVEKIT_API_SECRET={API_SECRET} \\
                 .venv/bin/python -m caller --room your-call --speech-url {ports.models_url} --text "How are you?"
Metrics: {ports.metrics_url}
Stop with Ctrl-C.""",
        flush=True,
    )


async def _main(args: argparse.Namespace) -> int:
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a model may write what the terminal cannot show
    terminal = Terminal()
    stop = asyncio.Event()
    stop_on_signals(stop)
    running_demo = asyncio.create_task(demo(args, terminal))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running_demo, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not running_demo.done():
        terminal.line("stopping")
        running_demo.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running_demo
        return _EXIT_INTERRUPTED if args.once else 0
    stopping.cancel()
    try:
        return running_demo.result()
    except (ServiceError, CallError, WeightsError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit after the scripted conversation")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--size",
        choices=SIZES,
        default="auto",
        help="small: the fast model answers too; auto: what fits the machine (default: %(default)s)",
    )
    parser.add_argument("--voice", choices=VOICES, default=DEFAULT_VOICE, help="default: %(default)s")
    parser.add_argument("--main-model", metavar="NAME|PATH", default=DEFAULT_MAIN_MODEL, help="default: %(default)s")
    parser.add_argument("--fast-model", metavar="NAME|PATH", default=DEFAULT_FAST_MODEL, help="default: %(default)s")
    parser.add_argument("--llm-threads", type=int, metavar="N", help="default: by the number of cores")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_arguments())))
