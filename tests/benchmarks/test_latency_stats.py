from __future__ import annotations

import numpy as np
import pytest

from benchmarks.latency.stats import agreement, spread


def test_interval_holds_the_median_and_narrows_with_more_turns() -> None:
    chance = np.random.default_rng(3)
    few, many = (spread(list(chance.normal(1.0, 0.1, count))) for count in (20, 500))
    assert few is not None
    assert many is not None
    assert few.low <= few.p50 <= few.high <= few.p95
    assert many.high - many.low < few.high - few.low
    assert many.p50 == pytest.approx(1.0, abs=0.02)
    assert many.p95 == pytest.approx(1.164, abs=0.03)


def test_same_turns_give_the_same_interval() -> None:
    values = [0.9, 1.0, 1.3, 0.8, 1.1]
    assert spread(values) == spread(values)


def test_nothing_measured_is_no_number() -> None:
    assert spread([]) is None
    assert agreement([]) is None


def test_agreement_is_the_offset_and_the_worst_but_five_percent() -> None:
    pairs = [(1.1 + jitter, 1.0) for jitter in (-0.02, -0.01, 0.0, 0.01, 0.02)]
    found = agreement(pairs)
    assert found is not None
    assert found.offset == pytest.approx(0.1)
    assert found.p95 == pytest.approx(0.118)
