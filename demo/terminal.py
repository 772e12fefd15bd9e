"""What the demo prints: one line for each step, which overwrites itself on a terminal and is printed once in a pipe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.script import ScriptedTurn
from testbed.conversation import TurnResult


class Terminal:
    """Prints steps, turns and the comparison.

    Args:
        console: Where to.
        clock: Monotonic time in seconds.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._clock = clock

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Show that a step is under way, and then how long it took.

        Yields:
            Shows a detail beside the step, on a terminal only.
        """
        started = self._clock()
        if self.console.is_terminal:
            with self.console.status(escape(name)) as status:
                yield lambda detail: status.update(escape(f"{name}: {detail}"))
        else:
            yield lambda detail: None
        self.line(f"{name} ({self._clock() - started:.1f} s)")

    def line(self, text: str) -> None:
        """Print a line."""
        self.console.print(f"==> {escape(text)}")

    def turn(self, scripted: ScriptedTurn, result: TurnResult, problems: Sequence[str]) -> None:
        """Print a turn as it happened."""
        over = ", over the reply" if result.barge_in else ""
        self.console.print(f"\n  caller       {escape(result.said)}   [dim]({scripted.purpose}{over})[/dim]")
        self.console.print(f"  heard as     {escape(result.heard or '(nothing)')}")
        if result.preresponse:
            self.console.print(f"  pre-response {escape(result.preresponse)}   {_gap(result.response_gap)}")
        answer = " ".join(result.answer.split()) or "(nothing)"
        self.console.print(f"  answer       {escape(answer)}   {_gap(result.answer_gap)}")
        for problem in problems:
            self.console.print(f"  [red]not good[/red]     {escape(problem)}")

    def comparison(self, script: Sequence[ScriptedTurn], on: Sequence[TurnResult], off: Sequence[TurnResult]) -> None:
        """Print the seconds of the two conversations beside each other."""
        table = Table(title="Seconds after the caller's last sound", title_justify="left")
        for heading in ("turn", "first sound, with pre-response", "answer", "first sound, without"):
            table.add_column(heading, justify="left" if heading == "turn" else "right")
        for number, turn in enumerate(script):
            with_it, without = on[number : number + 1], off[number : number + 1]
            table.add_row(
                turn.purpose,
                _seconds(with_it[0].response_gap if with_it else None),
                _seconds(with_it[0].answer_gap if with_it else None),
                _seconds(without[0].response_gap if without else None),
            )
        self.console.print()
        self.console.print(table)


def _gap(seconds: float | None) -> str:
    return "(not heard)" if seconds is None else f"({_seconds(seconds)} s after the caller's last sound)"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f}"
