"""The subcommand ``call``: show the turns of one call from the worker's log, such as after a complaint.

``agent-worker call ID [FILE …]`` reads what ``TURN_LOG=timing`` or ``full`` has written, or its standard input.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from agent_worker.app.call_report import report

_FIELD = "turn_record"
_DECODER = json.JSONDecoder()
#: A log line within a log line, as Docker's files and Loki's exports have it, within another one.
_MAX_NESTING = 3

Record = dict[str, Any]


def main(arguments: Sequence[str], prog: str) -> int:
    """Run the subcommand and return its exit code: 1 if the log has no turn of the call, 2 if it cannot be read.

    Args:
        arguments: Behind ``call``.
        prog: Name of the program, for the help.
    """
    options = _parser(prog).parse_args(arguments)
    if not options.files and sys.stdin.isatty():
        print(f"{prog}: name a log file, or send the log to it: kubectl logs … | {prog} {options.id}", file=sys.stderr)
        return 2
    try:
        entries = list(_entries_of(options.files))
    except OSError as error:
        print(f"{prog}: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    turns = [record for fields, record in entries if is_of_call(options.id, fields, record)]
    if not turns:
        print(f"{prog}: {_why_nothing(options.id, entries)}", file=sys.stderr)
        return 1
    turns.sort(key=lambda record: str(record.get("time") or ""))  # several agents, and so several logs, in one call
    try:
        print(json.dumps(turns, indent=2) if options.json else report(options.id, turns), flush=True)
    except BrokenPipeError:  # `call ID | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def turn_records(lines: Iterable[str]) -> Iterator[tuple[dict[str, Any], Record]]:
    """Yield the fields of each log line that has a turn record, and the record.

    Whatever is before the JSON of a line is ignored, such as the name of a container. A log line may be a value in the
    JSON of another one.
    """
    for line in lines:
        if _FIELD in line and (fields := _fields(line)) is not None:
            yield fields, fields[_FIELD]


def is_of_call(call_id: str, fields: dict[str, Any], record: Record) -> bool:
    """Return whether a turn is one of the call with this id, or with a room of this name or id."""
    call = record.get("call")
    of_record = (call.get("id"), call.get("room")) if isinstance(call, dict) else ()
    return call_id in (*of_record, fields.get("room"), fields.get("room_id"))


def _fields(line: str, nesting: int = 0) -> dict[str, Any] | None:
    start = line.find("{")
    while start >= 0:
        with contextlib.suppress(ValueError, RecursionError):
            found, _ = _DECODER.raw_decode(line, start)
            return _with_record(found, nesting)
        start = line.find("{", start + 1)
    return None


def _with_record(found: dict[str, Any], nesting: int) -> dict[str, Any] | None:
    if isinstance(found.get(_FIELD), dict):
        return found
    inner = (value for value in found.values() if isinstance(value, str) and _FIELD in value)
    return next((fields for each in inner if (fields := _fields(each, nesting + 1))), None) if _may(nesting) else None


def _may(nesting: int) -> bool:
    return nesting < _MAX_NESTING


def _entries_of(files: Sequence[str]) -> Iterator[tuple[dict[str, Any], Record]]:
    if not files:
        yield from turn_records(sys.stdin)
    for name in files:
        with open(name, encoding="utf-8", errors="replace") as file:
            yield from turn_records(file)


def _why_nothing(call_id: str, entries: Sequence[tuple[dict[str, Any], Record]]) -> str:
    if not entries:
        return "the log has no turn records: the worker writes them with TURN_LOG=timing or full"
    times = sorted(str(record["time"]) for _, record in entries if record.get("time"))
    when = f", from {times[0]} to {times[-1]}" if times else ""
    return f"no turn of {call_id} among the {len(entries)} turns of the log{when}: look at the other workers' logs"


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show the turns of one call, with the times of their stages, from the worker's log.",
        epilog="Exit code 0: shown. 1: the log has no turn of the call. 2: the log cannot be read.",
    )
    parser.add_argument("id", metavar="ID", help="call ID of the page, or name or id of the LiveKit room")
    parser.add_argument("files", metavar="FILE", nargs="*", help="log of a worker; without one, standard input")
    parser.add_argument("--json", action="store_true", help="print the turn records as JSON")
    return parser
