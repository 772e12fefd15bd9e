"""What the demo prints, on a terminal and in a pipe."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from demo.script import SCRIPT
from demo.terminal import Terminal
from tests.demo.test_script import GOOD


def printed(**options: object) -> tuple[Terminal, io.StringIO]:
    file = io.StringIO()
    instants = iter([1.0, 3.5])
    return Terminal(Console(file=file, width=120, highlight=False, **options), clock=lambda: next(instants)), file  # type: ignore[arg-type]


def test_step_in_a_pipe_is_one_line_without_its_details() -> None:
    terminal, file = printed()
    with terminal.step("starting worker") as detail:
        detail("having phrases spoken")
    assert file.getvalue() == "==> starting worker (2.5 s)\n"


def test_step_on_a_terminal_shows_its_details_and_leaves_one_line() -> None:
    terminal, file = printed(force_terminal=True)
    with terminal.step("starting worker") as detail:
        detail("having phrases spoken")
    shown = file.getvalue()
    assert "starting worker" in shown
    assert shown.count("\n") - shown.count("\x1b[1A") <= 2
    assert shown.splitlines()[-1].endswith("(2.5 s)")


def test_brackets_in_what_was_said_are_printed_as_they_are() -> None:
    terminal, file = printed()
    terminal.turn(SCRIPT[0], replace(GOOD, answer="Use [bold]salt[/bold]."), ["understood as '[red]'"])
    assert "[bold]salt[/bold]" in file.getvalue()
    assert "'[red]'" in file.getvalue()


def test_comparison_has_a_row_for_each_turn_with_the_seconds_of_both_runs() -> None:
    terminal, file = printed()
    slow = replace(GOOD, preresponse=None, response_gap=6.0, answer_gap=6.0)
    terminal.comparison(SCRIPT, [GOOD] * 5, [slow] * 3)
    rows = [line for line in file.getvalue().splitlines() if any(turn.purpose in line for turn in SCRIPT)]
    assert [row.split("│")[1].strip() for row in rows] == [turn.purpose for turn in SCRIPT]
    assert all(seconds in rows[0] for seconds in ("0.8", "2.5", "6.0"))
    assert "–" in rows[4]
