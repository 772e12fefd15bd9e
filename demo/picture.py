"""``python -m demo.picture REPORT SVG``: draw the two conversations of a demo's report as an animated picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.drawing import Exchange, draw
from model_server.weights import language_model_name

MAX_EXCHANGES = 2
_AGAIN = "run `make demo ONCE=1` again"


class ReportError(Exception):
    """A report that no picture can be made of."""


def read_report(path: Path) -> dict[str, Any]:
    """Return the report of a run in which every turn was good.

    Raises:
        ReportError: It cannot be read, is no report, or is that of a run with problems.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}): `make demo ONCE=1` writes it") from None
    except ValueError as error:
        raise ReportError(f"{path} is not JSON ({error}): {_AGAIN}") from None
    if not isinstance(report, dict) or not isinstance(report.get("turns"), list):
        raise ReportError(f"{path} is not a report of the demo, it has no turns: {_AGAIN}")
    if not report.get("ok"):
        problems = report.get("problems") or ["it does not say which"]
        raise ReportError(f"{path} is of a run with problems ({'; '.join(map(str, problems))}): {_AGAIN}")
    return report


def exchanges(report: dict[str, Any], turn: int | None = None) -> list[Exchange]:
    """Return what the picture shows: the first turns that were answered in full in both conversations.

    Args:
        report: As the demo writes it.
        turn: The number of the only turn to show, from 1.

    Raises:
        ReportError: There is no such turn.
    """
    with_it, without = report["turns"], report.get("turns_without_preresponses") or []
    pairs = [
        (number, _exchange(on, off))
        for number, (on, off) in enumerate(zip(with_it, without, strict=False), start=1)
        if not _is_interrupted(with_it, number) and not _is_interrupted(without, number)
    ]
    found = [exchange for number, exchange in pairs if exchange and turn in (None, number)]
    if not found:
        which = "no turn" if turn is None else f"no turn {turn}"
        raise ReportError(
            f"the report has {which} with a pre-response and an answer, and with the same words of the caller answered "
            f"without a pre-response: {_AGAIN}"
        )
    return found[:MAX_EXCHANGES]


def _is_interrupted(turns: Sequence[dict[str, Any]], number: int) -> bool:
    """Whether the caller speaks over a reply in this turn: at its start over the one before, or over this one."""
    return any(turn.get("barge_in") for turn in turns[number - 1 : number + 1])


def _exchange(on: dict[str, Any], off: dict[str, Any]) -> Exchange | None:
    texts = on.get("said"), on.get("preresponse"), on.get("answer"), off.get("answer")
    seconds = on.get("response_gap"), on.get("answer_gap"), off.get("response_gap")
    if not all(texts) or not all(seconds) or on["said"] != off.get("said") or off.get("preresponse"):
        return None
    return Exchange(*map(str, texts), *map(float, seconds))  # type: ignore[arg-type]


def _source(report: dict[str, Any]) -> str:
    """Return where the conversation comes from, in a line."""
    model = (report.get("models") or {}).get("main_model")
    name = f", with {language_model_name(str(model))} on a CPU" if model else ""
    return f"A run of make demo{name}. Shown in real time."


def _main() -> int:
    parser = argparse.ArgumentParser(prog="demo.picture", description=__doc__)
    parser.add_argument("report", type=Path, help="as `make demo ONCE=1` writes it: demo-report.json")
    parser.add_argument("picture", type=Path, help="the SVG to write")
    parser.add_argument("--turn", type=int, metavar="N", help=f"only this one; default: the first {MAX_EXCHANGES}")
    args = parser.parse_args()
    try:
        report = read_report(args.report)
        args.picture.write_text(draw(exchanges(report, args.turn), _source(report)), encoding="utf-8")
    except ReportError as error:
        print(f"demo.picture: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"demo.picture: {args.picture} cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
