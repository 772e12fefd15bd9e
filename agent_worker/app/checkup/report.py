"""How findings are shown: a table that is written line by line, or JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TextIO

from agent_worker.app.checkup.findings import Finding, Status

_COLOURS = {Status.OK: "32", Status.NOTE: "33", Status.FAILED: "31", Status.SKIPPED: "2"}
_INDENT = " " * 10


class Table:
    """Plain text, a row as soon as it is known; in colour where a person looks at a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._in_colour = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def add(self, finding: Finding) -> None:
        seconds = "" if finding.seconds is None else f"{finding.seconds:.3f} s"
        status = self._coloured(f"{finding.status:<8}", finding.status)
        self._write(f"{status}  {finding.name:<22}  {seconds:>9}  {finding.detail}")
        if finding.to_do:
            self._write(f"{_INDENT}To do: {finding.to_do[:1].lower()}{finding.to_do[1:]}")

    def end(self, findings: Sequence[Finding]) -> None:
        self._write("")
        self._write(summary(findings))

    def _coloured(self, text: str, status: Status) -> str:
        return f"\033[{_COLOURS[status]}m{text}\033[0m" if self._in_colour else text

    def _write(self, line: str) -> None:
        print(line.rstrip(), file=self._out, flush=True)


def summary(findings: Sequence[Finding]) -> str:
    if any(finding.is_setting for finding in findings):
        return "bad settings: put them right in .env or the environment first; docs/configuration.md explains each"
    if wrong := sum(finding.status is Status.FAILED for finding in findings):
        return f"{wrong} failed: docs/troubleshooting.md has more about what to do"
    notes = sum(finding.status is Status.NOTE for finding in findings)
    return "all is well" + (f", with {notes} note(s)" if notes else "")


def exit_code(findings: Sequence[Finding]) -> int:
    if any(finding.is_setting for finding in findings):
        return 2
    return 1 if any(finding.status is Status.FAILED for finding in findings) else 0


def as_json(stack: str, findings: Sequence[Finding]) -> str:
    rows = [
        {
            "name": one.name,
            "status": one.status.value,
            "seconds": one.seconds and round(one.seconds, 3),
            "detail": one.detail,
            "to_do": one.to_do,
        }
        for one in findings
    ]
    code = exit_code(findings)
    return json.dumps(
        {"stack": stack, "ok": code == 0, "exit_code": code, "findings": rows}, indent=2, ensure_ascii=False
    )
