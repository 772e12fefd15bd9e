"""Tables, templates and numbers of the reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def row(*cells: object) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: bool = False) -> str:
    """Return a table; with ``numbers`` every column but the first is aligned to the right."""
    rule = ["---", *["---:" if numbers else "---"] * (len(headers) - 1)]
    return "\n".join(row(*cells) for cells in (headers, rule, *rows))


def fill(template: Path, **values: Any) -> str:
    """Return a page: a template in :meth:`str.format` syntax with its values."""
    return template.read_text(encoding="utf-8").format(**values)


def replace_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between two marks of a page, in place of what is there."""
    before = page.read_text(encoding="utf-8") if page.exists() else f"{begin}\n{end}\n"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page.write_text(marked.sub(lambda _: f"{begin}\n{text}\n{end}", before), encoding="utf-8")


def milliseconds(seconds: float | None) -> str:
    """Return whole milliseconds, or ``-`` for None."""
    return "-" if seconds is None else f"{seconds * 1000:.0f}"


def verdict(met: bool | None) -> str:
    """Return whether a target is met; None if it was not measured."""
    return {True: "met", False: "**NOT met**", None: "not measured"}[met]
