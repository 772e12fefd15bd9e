"""How is it written down?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.reliability.judge import Verdict

BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"


def read(path: Path) -> dict[str, Verdict]:
    """What earlier runs have found, by case."""
    raw = path.with_suffix(".json")
    return {name: Verdict(**fields) for name, fields in json.loads(raw.read_text()).items()} if raw.exists() else {}


def write(verdicts: Mapping[str, Verdict], of: int, path: Path) -> None:
    """Put the table where the page has its place, and the results beside the page: a later run adds to them."""
    raw = {name: asdict(verdict) for name, verdict in verdicts.items()}
    path.with_suffix(".json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n")
    page = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    path.write_text(between.sub(lambda _: f"{BEGIN}\n{table(verdicts, of)}\n{END}", page))


def table(verdicts: Mapping[str, Verdict], of: int) -> str:
    failed = sum(verdict.meaningful and bool(verdict.problems) for verdict in verdicts.values())
    rows = [
        f"{len(verdicts)} of {of} cases were run, {failed} failed.",
        "",
        "| what fails | the caller hears | longest silence | first log line | `livekit_errors_total` | result |",
        "| --- | --- | ---: | --- | --- | --- |",
    ]
    for name, verdict in verdicts.items():
        result = (
            "the machine was too busy"
            if not verdict.meaningful
            else "ok"
            if not verdict.problems
            else "**failed:** " + "; ".join(verdict.problems)
        )
        cells = (name, verdict.heard, f"{verdict.silence:.1f} s", verdict.logged[:90], verdict.metric, result)
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(rows)
