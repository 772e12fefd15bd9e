"""``python -m benchmarks.overview``: make docs/benchmarks/README.md of the results of the other benchmarks."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.cli import DOCS, progress
from benchmarks.harness.markdown import fill
from benchmarks.latency.summary import DEFAULT_SYSTEM
from benchmarks.overview.figures import PIPECAT, STOCK, Figures, commands, rulers, waits

PAGE = DOCS / "README.md"
_TEMPLATE = Path(__file__).parent / "template.md"


def page(folder: Path = DOCS) -> str:
    """Return the page for the results in a folder."""
    figures = Figures(folder)
    ours, stock = figures.people.get(DEFAULT_SYSTEM), figures.people.get(STOCK)
    assert ours
    assert stock
    policies = figures.policies
    return fill(
        _TEMPLATE,
        waits=waits(figures),
        commands=commands(figures),
        rulers=rulers(figures),
        machine=figures.latency.profiles["people"]["machine"],
        answer_ours=f"{figures.median('typical', DEFAULT_SYSTEM, 'answer_gap'):.2f}",
        answer_stock=f"{figures.median('typical', STOCK, 'answer_gap'):.2f}",
        answer_pipecat=f"{figures.median('typical', PIPECAT, 'answer_gap'):.2f}",
        first_people=figures.wait("people", DEFAULT_SYSTEM),
        first_people_stock=figures.wait("people", STOCK),
        people_ours=ours.cut_turns,
        people_stock=stock.cut_turns,
        people_turns=ours.turns,
        pauses_ours=ours.cut_pauses,
        pauses_stock=stock.cut_pauses,
        heard_ours=_heard(figures.harm["agent-worker, first words 0.15 s after the decision"]),
        heard_stock=_heard(figures.harm["stock livekit-agents, 1.1 s after"]),
        cut_ours=_share(policies["agent-worker, fused"]),
        cut_stock=_share(policies["stock livekit-agents"]),
    )


def _heard(harm: dict[str, dict[str, float]]) -> str:
    return f"{harm['heard']['value']:.0%}"


def _share(policy: dict[str, dict[str, float]]) -> str:
    cut = policy["cut"]
    return f"{cut['value']:.0%} [{cut['low']:.0%}, {cut['high']:.0%}]"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    progress(f"page: {PAGE}")


if __name__ == "__main__":
    main()
