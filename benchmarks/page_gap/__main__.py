"""``python -m benchmarks.page_gap``: call alternately with ``caller`` and with a browser, and compare."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress
from benchmarks.harness.clips import UTTERANCES, clips
from benchmarks.harness.simulation import Latencies, simulation
from benchmarks.page_gap.recording import response_gaps
from benchmarks.page_gap.report import Results, Row, markdown
from caller import CallOptions, Wav, call
from caller.audio import read_wav
from testbed.browser import Tab, browsing
from testbed.services import (
    API_KEY,
    API_SECRET,
    Ports,
    livekit_server,
    page_server,
    running,
    simulated_models,
    worker,
    worker_env,
)

_SETTLE_S = 2.5
_PAUSE_S = 2
"""Between the end of a reply and the next utterance, as ``caller`` makes it."""


def main() -> None:
    """Measure as the command line asks."""
    parser = cli.parser("page_gap", __doc__)
    parser.add_argument("--calls", type=int, default=4, help="of each (default: %(default)s)")
    options = parser.parse_args()
    files = ReportFiles.at(options.out, "page-gap")
    if not options.report_only:
        cli.run(_measure(options, files))
    files.write_page(markdown(results.load(files.json, Results)))


async def _measure(options: argparse.Namespace, files: ReportFiles) -> None:
    wavs, folder, ports = await clips(), cli.log_folder("page-gap"), Ports.free()
    env = {**worker_env(ports, folder), "NO_GREETING": "1", "PRERESPONSE_AUDIO_DIR": str(folder / "phrases")}
    services = [
        livekit_server(ports.livekit),
        simulated_models(ports.models, simulation(Latencies(), seed=1), folder),
        worker("fast-preresponse.py", env),
        page_server(ports),
    ]
    microphone = folder / "microphone.wav"
    rows: list[Row] = []
    async with running(services, folder, progress), browsing(microphone) as browser:
        for number in range(1, options.calls + 1):
            rows += await _call(ports, number, wavs)
            context = await browser.new_context()
            tab = await Tab.open(context, ports.page_url, microphone)
            rows += await _call_in_browser(tab, number, wavs)
            await context.close()
            progress(f"{number} of {options.calls} calls of each")
    about = machine.describe("page_gap", sys.argv[1:])
    results.save(files.json, Results(about["machine"], about["commit"], rows))


async def _call(ports: Ports, number: int, wavs: list[Path]) -> list[Row]:
    options = CallOptions(
        url=ports.livekit_url,
        room=f"caller-{number}",
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=[Wav(path) for path in wavs],
        topics=[TURN_TOPIC],
        greeting_wait=_SETTLE_S,
    )
    turns = (await call(options)).turns
    return [
        Row("caller", number, said, turn.response_gap, _only_gap(map(json.loads, (text.text for text in turn.texts))))
        for said, turn in zip(UTTERANCES, turns, strict=True)
    ]


async def _call_in_browser(tab: Tab, number: int, wavs: list[Path]) -> list[Row]:
    await tab.start_call(greeting=False)
    await asyncio.sleep(_SETTLE_S)
    records: list[list[dict[str, Any]]] = []
    for path in wavs:
        before = await tab.caller_turns()
        await tab.say(await asyncio.to_thread(read_wav, path))
        await tab.wait_for_answer(before)
        await asyncio.sleep(_PAUSE_S)
        exported = json.loads(await tab.download("export-json"))["turns"]
        records.append(exported[sum(map(len, records)) :])
    gaps = await asyncio.to_thread(response_gaps, await tab.download("export-wav"))
    return [
        Row("browser", number, said, gap, _only_gap(of_turn), _only_gap(of_turn, "response_gap_in_browser"))
        for said, gap, of_turn in zip(UTTERANCES, gaps, records, strict=True)
    ]


def _only_gap(records: Any, name: str = "response_gap") -> float | None:
    """Return a turn's gap, or None if its utterance was taken for two turns."""
    gaps = [record[name] for record in records if record[name] is not None]
    return gaps[0] if len(gaps) == 1 else None


if __name__ == "__main__":
    main()
