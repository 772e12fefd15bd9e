"""``python -m monitoring.preview``: make real calls, and draw what two dashboards show of them.

LiveKit server, the models of the model server, the worker, agent-metrics and Prometheus all run on this machine. The
panels, their queries and units are those of the dashboard that Grafana loads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from caller import CallError
from monitoring.board import TimeRange
from monitoring.monitored_system import monitored_system, wait_until_counted, wait_until_scraped
from monitoring.preview.draw import draw
from monitoring.preview.panel_data import query_board
from monitoring.prometheus_server import Prometheus
from testbed.conversation import converse
from testbed.processes import ServiceError, free_port
from testbed.services import ROOT, Ports, running

#: The file of each dashboard that is drawn.
PICTURES = {"overview": "monitoring.png", "answering": "monitoring-answering.png"}
SCRIPT = "fast-preresponse.py"
SENTENCES = (
    "What is the best way to learn how to cook?",
    "How can I sleep better at night?",
    "Can you tell me about the history of trains?",
    "Okay.",
    "What should I know before I buy a house?",
    "My flight was cancelled this morning.",
    "Goodbye, and have a nice day.",
)
SHORT_ANSWERS = {"ANSWER_MAX_TOKENS": "30"}  # they are spoken in real time
_SECONDS_AFTER_CALLS = 10.0


async def preview(calls: int, turns: int, window: str, output: Path) -> None:
    """Make the calls and draw the pictures in the folder ``output``; each point of them covers ``window``."""
    ports, port = Ports.free(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="agent-worker-preview-"))
    _print_progress(f"logs are in {folder}")
    async with running(monitored_system(SCRIPT, ports, port, folder, SHORT_ANSWERS), folder, _print_progress):
        start, prometheus = time.time(), Prometheus(port)
        await wait_until_scraped(prometheus)
        counts = [await _call(ports, number, turns) for number in range(calls)]  # two at once are too much for one CPU
        await wait_until_counted(prometheus, sum(counts))
        await asyncio.sleep(_SECONDS_AFTER_CALLS)
        time_range = TimeRange(start, time.time(), scrape_interval=1)
        boards = {name: await query_board(prometheus, name, time_range, window) for name in PICTURES}
    caption = (
        f"{calls} calls, {sum(counts)} turns, with small models that share one CPU with everything else: the times say "
        f"nothing about a real deployment. The callers do not come from the page.  Each point covers the last {window}."
    )
    for name, file in PICTURES.items():
        draw(boards[name], caption, output / file)
    _print_progress(f"the pictures are in {output}")


async def _call(ports: Ports, number: int, turns: int) -> int:
    """Make a call and return its number of turns."""
    sentences = tuple(islice(cycle(SENTENCES), number * turns, (number + 1) * turns))
    _, report = await converse(
        ports, f"preview-{number}", sentences, lambda turn: _print_progress(f"caller {number}: {turn.said}")
    )
    return sum(json.loads(text.text)["caller"] is not None for text in report.texts)


def _print_progress(line: str) -> None:
    print(f"==> {line}", flush=True)


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="monitoring.preview", description=__doc__)
    parser.add_argument("--calls", type=int, default=3, help="one after the other; default: %(default)s")
    parser.add_argument("--turns", type=int, default=6, help="of each call; default: %(default)s")
    parser.add_argument("--window", default="3m", help="what each point covers; default: %(default)s")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="a folder; default: %(default)s")
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the callers' tokens
    try:
        asyncio.run(preview(options.calls, options.turns, options.window, options.output))
    except (ServiceError, CallError) as error:
        print(f"monitoring.preview: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
