"""``python -m demo [--once]``: run a scripted conversation, then keep the agent running for the user to call."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from caller import CallError
from page_server.settings import is_built
from testbed.conversation import TurnResult, converse
from testbed.processes import Child, ServiceError, require_free_port, stop_on_signals
from testbed.services import API_KEY, API_SECRET, Ports, running, whole_system

SCRIPT = "fast-preresponse-ollama.py"
SENTENCES = (
    "What is the best way to learn how to cook?",
    "How can I sleep better at night?",
    "Thank you very much for your help.",
)
REPORT = Path("demo-report.json")
_EXIT_INTERRUPTED = 130


async def demo(once: bool) -> int:
    """Run the demo and return its exit code: 0 if every turn was understood and answered aloud."""
    ports = _ports()
    folder = Path(tempfile.mkdtemp(prefix="agent-worker-demo-"))
    _print_progress(f"logs are in {folder}")
    async with running(whole_system(SCRIPT, ports, folder / "metrics"), folder, _print_progress) as children:
        _print_progress("the caller joins")
        turns, _ = await converse(ports, "demo", SENTENCES, _print_turn)
        ok = len(turns) == len(SENTENCES) and all(turn.ok for turn in turns)
        _write_report(turns, ok, children)
        _print_progress(f"{sum(turn.ok for turn in turns)} of {len(SENTENCES)} turns were good; report: {REPORT}")
        if not once:
            _print_how_to_call(ports)
            await asyncio.Event().wait()
        return 0 if ok else 1


def _ports() -> Ports:
    default = Ports()
    ports = Ports(
        livekit=int(os.environ.get("DEMO_LIVEKIT_PORT", default.livekit)),
        models=int(os.environ.get("DEMO_MODELS_PORT", default.models)),
        metrics=int(os.environ.get("DEMO_METRICS_PORT", default.metrics)),
        page=int(os.environ.get("DEMO_PAGE_PORT", default.page)),
    )
    for port in range(ports.livekit, ports.livekit + 3):
        require_free_port(port, "the LiveKit server", "DEMO_LIVEKIT_PORT")
    require_free_port(ports.models, "the model server", "DEMO_MODELS_PORT")
    require_free_port(ports.metrics, "agent-metrics", "DEMO_METRICS_PORT")
    if is_built():
        require_free_port(ports.page, "the page", "DEMO_PAGE_PORT")
    return ports


def _print_turn(turn: TurnResult) -> None:
    print(f"\n  caller       {turn.said}")
    print(f"  heard as     {turn.heard or '(nothing)'}   [word error rate {turn.word_error_rate:.0%}]")
    if turn.preresponse:
        print(f"  pre-response {turn.preresponse}   [{_seconds(turn.response_gap)}]")
    print(f"  answer       {' '.join(turn.answer.split()) or '(nothing)'}   [{_seconds(turn.answer_gap)}]", flush=True)


def _seconds(gap: float | None) -> str:
    return "not heard" if gap is None else f"heard {gap:.2f} s after the caller's last word"


def _write_report(turns: Sequence[TurnResult], ok: bool, children: Mapping[str, Child]) -> None:
    report = {
        "ok": ok,
        "turns": [{**dataclasses.asdict(turn), "ok": turn.ok} for turn in turns],
        "memory_mb": {name: round(child.memory_mb()) for name, child in children.items()},
    }
    REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


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


def _print_progress(line: str) -> None:
    print(f"==> {line}", flush=True)


async def _main(once: bool) -> int:
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    stop = asyncio.Event()
    stop_on_signals(stop)
    running_demo = asyncio.create_task(demo(once))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running_demo, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not running_demo.done():
        _print_progress("stopping")
        running_demo.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running_demo
        return _EXIT_INTERRUPTED if once else 0
    stopping.cancel()
    try:
        return running_demo.result()
    except (ServiceError, CallError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit after the scripted conversation")
    sys.exit(asyncio.run(_main(parser.parse_args().once)))
