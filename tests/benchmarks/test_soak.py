from __future__ import annotations

from benchmarks.reliability.calls import Call, HeardTurn
from benchmarks.soak.report import markdown, rows
from benchmarks.soak.run import Sample, Soak

ABOUT = {
    "command": "c",
    "seed": 1,
    "machine": "m",
    "versions": "v",
    "began": "2026-01-01",
    "lines": 2,
    "minutes": 20,
    "note": "",
}


def samples(*, an_hour: float) -> list[Sample]:
    return [Sample(minute, {"threads": 10 + an_hour * minute / 60}) for minute in range(21)]


def test_row_shows_growth_per_hour() -> None:
    assert rows(samples(an_hour=0)) == ["| threads | 10.0 | 10.0 | 10.0 | +0.0 |"]
    (row,) = rows(samples(an_hour=60))
    assert row.split("|")[5].strip() == "+60.0"


def test_warm_up_is_not_counted_as_growth() -> None:
    filling = [Sample(minute, {"files": min(minute, 5)}) for minute in range(21)]
    assert rows(filling) == ["| files | 5.0 | 5.0 | 5.0 | +0.0 |"]


def test_every_turn_of_every_call_is_checked() -> None:
    soak = Soak(ABOUT, samples=samples(an_hour=0))
    soak.add(Call([HeardTurn(("phrase", "answer"), 0.5, 0.5)], 1, 1, None))
    soak.add(Call([HeardTurn((), None, 15.0)], 0, 0, None))
    assert soak.problems == ["call 2: turn 1: 15.0 s of silence", "call 2: turn 1: no reply"]
    assert "2 calls, 2 turns. Heard: phrase, answer: 1; nothing: 1." in markdown(soak)
