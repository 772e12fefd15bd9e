"""Print check results: a table, line by line, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from agent_worker.core.check_result import CheckResult, Status

_COLORS = {Status.OK: "32", Status.NOTE: "33", Status.FAILED: "31", Status.SKIPPED: "2"}  # ANSI
_INDENT = " " * 10


def supports_color(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to print in color: on a terminal that can, unless NO_COLOR is set (https://no-color.org)."""
    return out.isatty() and "NO_COLOR" not in environment and environment.get("TERM") != "dumb"


class Table:
    """A table in plain text, printed row by row.

    Args:
        out: Where to print.
        in_color: Whether to color the statuses.
    """

    def __init__(self, out: TextIO, *, in_color: bool) -> None:
        self._out = out
        self._in_color = in_color

    def add(self, result: CheckResult) -> None:
        """Print a row."""
        seconds = "" if result.seconds is None else f"{result.seconds:.3f} s"
        status = self._colored(f"{result.status:<8}", result.status)
        self._print(f"{status}  {result.name:<22}  {seconds:>9}  {result.detail}")
        if result.remedy:
            self._print(f"{_INDENT}To do: {result.remedy}")

    def end(self, results: Sequence[CheckResult]) -> None:
        """Print the summary."""
        self._print("")
        self._print(summary(results))

    def _colored(self, text: str, status: Status) -> str:
        return f"\033[{_COLORS[status]}m{text}\033[0m" if self._in_color else text

    def _print(self, line: str) -> None:
        print(line.rstrip(), file=self._out, flush=True)


def summary(results: Sequence[CheckResult]) -> str:
    """Return one line about all results."""
    if any(result.invalid_setting for result in results):
        return "bad settings: correct them in .env or the environment first; docs/configuration.md explains each"
    if failures := sum(result.status is Status.FAILED for result in results):
        return f"{failures} failed: docs/troubleshooting.md has more about what to do"
    notes = sum(result.status is Status.NOTE for result in results)
    return "all is well" + (f", with {notes} note(s)" if notes else "")


def exit_code(results: Sequence[CheckResult]) -> int:
    """Return 0 if nothing failed, 2 if settings are missing or wrong, 1 after other failures."""
    if any(result.invalid_setting for result in results):
        return 2
    return 1 if any(result.status is Status.FAILED for result in results) else 0


def as_json(stack: str, results: Sequence[CheckResult]) -> str:
    """Return all results as a JSON object. Its keys are part of the public interface."""
    rows = [
        {
            "name": result.name,
            "status": result.status.value,
            "seconds": result.seconds and round(result.seconds, 3),
            "detail": result.detail,
            "to_do": result.remedy,
        }
        for result in results
    ]
    code = exit_code(results)
    return json.dumps(
        {"stack": stack, "ok": code == 0, "exit_code": code, "findings": rows}, indent=2, ensure_ascii=False
    )
