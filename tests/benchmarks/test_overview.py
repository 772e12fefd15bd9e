"""The overview is what the committed results say."""

from __future__ import annotations

from benchmarks.overview.__main__ import PAGE, page


def test_overview_is_made_from_the_committed_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks.overview"
