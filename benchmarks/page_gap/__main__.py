"""``python -m benchmarks.page_gap``: call in turn by ``python -m caller``'s code and by a browser, and compare.

Writes docs/benchmarks/page-gap.md and page-gap.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
from pathlib import Path

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.latency.machine import describe
from benchmarks.latency.profiles import PROFILES, simulation
from benchmarks.latency.speech import UTTERANCES, clips
from benchmarks.page_gap.measure import heard_in
from benchmarks.page_gap.report import Row, report
from caller import CallOptions, Wav, call
from caller.audio import read_wav
from testbed.browser import Visitor, browsing
from testbed.processes import free_port
from testbed.services import (
    API_KEY,
    API_SECRET,
    Ports,
    livekit_server,
    model_server,
    page_server,
    running,
    worker,
    worker_env,
)

OUT = Path(__file__).parents[2] / "docs" / "benchmarks"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_gap", description=__doc__)
    parser.add_argument("--calls", type=int, default=4, help="of each (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the report (default: %(default)s)")
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    rows = asyncio.run(_measure(options.calls))
    about = describe([], "python")
    (options.out / "page-gap.json").write_text(
        json.dumps({"machine": about["machine"], "commit": about["commit"], "turns": [row.as_dict() for row in rows]})
        + "\n"
    )
    page = report(rows, options.calls, about)
    (options.out / "page-gap.md").write_text(page, encoding="utf-8")
    print(page)


async def _measure(calls: int) -> list[Row]:
    """Seconds of each turn: as the caller heard it, and as the agent's record has it."""
    wavs = await clips()
    folder = Path(tempfile.mkdtemp(prefix="page-gap-"))
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    latencies = PROFILES["cloud"].latencies
    assert latencies is not None
    config = folder / "simulation.json"
    config.write_text(json.dumps(simulation(latencies, seed=1)))
    env = {**worker_env(ports, folder), "NO_GREETING": "1", "PRERESPONSE_AUDIO_DIR": str(folder / "phrases")}
    services = [
        livekit_server(ports.livekit),
        model_server(ports.models, "--simulated", str(config)),
        worker("fast-preresponse.py", env),
        page_server(ports),
    ]
    rows: list[Row] = []
    async with running(services, folder, print), browsing(folder / "microphone.wav") as browser:
        for number in range(1, calls + 1):
            rows += await _by_caller(ports, number, wavs)
            context = await browser.new_context()
            rows += await _by_browser(
                await Visitor.opens(context, ports.page_url, folder / "microphone.wav"), number, wavs
            )
            await context.close()
            print(f"{number} of {calls} calls of each", flush=True)
    return rows


async def _by_caller(ports: Ports, number: int, wavs: list[Path]) -> list[Row]:
    options = CallOptions(
        url=ports.livekit_url,
        room=f"caller-{number}",
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=[Wav(path) for path in wavs],
        topics=[TURN_TOPIC],
        greeting_wait=2.5,
    )
    turns = (await call(options)).turns
    rows = []
    for said, turn in zip(UTTERANCES, turns, strict=True):
        records = [json.loads(text.text) for text in turn.texts]
        rows.append(Row("caller", number, said, turn.response_gap, _recorded(records)))
    return rows


async def _by_browser(visitor: Visitor, number: int, wavs: list[Path]) -> list[Row]:
    await visitor.talks(greeting=False)
    await asyncio.sleep(2.5)
    records: list[list[dict[str, float | None]]] = []
    for path in wavs:
        before = await visitor.turns()
        await visitor.says(await asyncio.to_thread(read_wav, path))
        await visitor.is_answered(before)
        await asyncio.sleep(2)  # as long a pause as the other caller makes
        exported = json.loads(await visitor.saves("export-json"))["turns"]
        records.append(exported[sum(map(len, records)) :])
    heard = await asyncio.to_thread(heard_in, await visitor.saves("export-wav"))
    return [
        Row("browser", number, said, one.response_gap, _recorded(of_turn), _shown(of_turn))
        for said, one, of_turn in zip(UTTERANCES, heard, records, strict=True)
    ]


def _recorded(records: list[dict[str, float | None]]) -> float | None:
    gaps = [record["response_gap"] for record in records if record["response_gap"] is not None]
    return gaps[0] if len(gaps) == 1 else None  # an utterance that was taken for two is no measurement


def _shown(records: list[dict[str, float | None]]) -> float | None:
    gaps = [record["response_gap_in_browser"] for record in records if record["response_gap_in_browser"] is not None]
    return gaps[0] if len(gaps) == 1 else None


if __name__ == "__main__":
    main()
