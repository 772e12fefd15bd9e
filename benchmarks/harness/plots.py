"""Plots as SVG files that are the same for the same results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt


@contextmanager
def figure(path: Path, rows: int = 1, height: float = 5.0) -> Iterator[tuple[Any, list[Any]]]:
    """Yield a figure and its panels, one below the other, and save it at the end; ``height`` is in inches."""
    plt.rcParams["svg.hashsalt"] = path.stem
    drawn, panels = plt.subplots(rows, 1, figsize=(8, height), squeeze=False, layout="constrained")
    for panel in panels[:, 0]:
        panel.spines[["top", "right"]].set_visible(False)
    yield drawn, list(panels[:, 0])
    drawn.savefig(path, metadata={"Date": None})
    plt.close(drawn)
