"""Figures of a first sound are quoted with the rate of false cut-offs that belongs to them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.harness.cli import DOCS
from benchmarks.harness.cut_offs import cut_offs
from testbed.services import ROOT


def test_sentence_has_the_figures_of_the_report(tmp_path: Path) -> None:
    shares = {"agent-worker, fused": 0.2, "agent-worker, livekit-mini": 0.4, "stock livekit-agents": 0.6}
    policies = {name: {"cut": {"value": share}, "mean": {"value": 2 * share}} for name, share in shares.items()}
    (tmp_path / "figures.json").write_text(json.dumps({"policies": policies}))
    sentence = cut_offs(tmp_path / "figures.json")
    assert re.findall(r"(\d+)%[^%]*?(\d\.\d\d) s", sentence) == [("20", "0.40"), ("40", "0.80"), ("60", "1.20")]


@pytest.mark.parametrize("page", ["latency.md", "scaling.md", "page-gap.md"])
def test_reports_of_first_sounds_have_it(page: str) -> None:
    assert cut_offs() in (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/demo.md"])
def test_pages_that_quote_first_sounds_have_the_rates(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    policies = json.loads((DOCS / "turn-taking.json").read_text(encoding="utf-8"))["policies"]
    for policy in ("agent-worker, fused", "stock livekit-agents"):
        cut, mean = policies[policy]["cut"]["value"], policies[policy]["mean"]["value"]
        assert re.search(rf"{cut * 100:.0f} %\W+(?:\w+\W+){{0,6}}?{mean:.2f} s", text), policy
