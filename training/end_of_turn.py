"""``python -m training.end_of_turn --recordings FOLDER``: fit the end-of-turn fusion to recordings of people.

Writes ``agent_worker/turn_taking/data/end_of_turn.json``. The recordings are not part of the repository; their format
is described in ``benchmarks/turn_taking/recordings.py``. How well a fit does on other speakers is the business of
``python -m benchmarks.turn_taking``, which calls :func:`fit` on the other dialogues.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from agent_worker.turn_taking.end_of_turn import CHECKPOINTS_S
from agent_worker.turn_taking.fusion import FEATURES, Evidence, Fusion, Weight, features
from benchmarks.turn_taking.features import Moment, moments
from benchmarks.turn_taking.recordings import RecordingsError, read

MODEL = Path(__file__).parents[1] / "agent_worker" / "turn_taking" / "data" / "end_of_turn.json"
STEP_S = 0.064
"""How often the fusion is asked."""
FIRST_S = CHECKPOINTS_S[0]
LAST_S = 3.0
INVERSE_REGULARISATION = 0.05
_HAZARD_SCALES_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Fit all recordings, and write the weights with and without smart-turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recordings", type=Path, required=True, help="folder with MANIFEST.tsv and PAUSES.tsv")
    try:
        recordings = read(parser.parse_args().recordings)
    except RecordingsError as error:
        sys.exit(str(error))
    known = moments(recordings, "clean", others=[])
    without = tuple(name for name in FEATURES if name != "smart")
    fitted = {"with_smart_turn": fit(known, FEATURES), "without": fit(known, without)}
    MODEL.write_text(json.dumps({name: rounded(fusion) for name, fusion in fitted.items()}, indent=2) + "\n")
    for name, fusion in fitted.items():
        print(name, {feature: round(weight.weight, 2) for feature, weight in fusion.weights.items()})
    print(
        f"{sum(moment.end is None for moment in known)} ends, {sum(moment.end is not None for moment in known)} pauses"
    )
    print(f"written: {MODEL}")


def fit(known: Iterable[Moment], names: Sequence[str]) -> Fusion:
    """Return the fusion of these features that fits the moments.

    Each moment gives a sample for each step of its silence: a pause as long as it lasts, an end up to ``LAST_S``.
    """
    usable = [moment for moment in known if moment.silence and moment.mini]
    values = np.concatenate([_samples(moment) for moment in usable])[:, [FEATURES.index(name) for name in names]]
    is_end = np.concatenate([np.full(len(_samples(moment)), moment.end is None) for moment in usable])
    mean, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0) + 1e-9
    scaled = np.nan_to_num((values - mean) / scale)
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000)
    model.fit(scaled, is_end)
    shape, scale_s = _hazard(np.array([silence_s(moment) for moment in usable if moment.end is not None]))
    weights = {
        name: Weight(float(mean[index]), float(scale[index]), float(model.coef_[0][index]))
        for index, name in enumerate(names)
    }
    return Fusion(weights, float(model.intercept_[0]), shape, scale_s)


@cache
def _samples(moment: Moment) -> Floats:
    """Return the features at each step of a moment's silence, NaN where unknown, shape (steps, features)."""
    steps = [features(evidence(moment, at), at) for at in silences() if at < silence_s(moment)]
    return np.array([[step[name] for name in FEATURES] for step in steps], float).reshape(-1, len(FEATURES))


def silences() -> Floats:
    """Return the silences at which the fusion is asked."""
    return np.arange(FIRST_S, LAST_S, STEP_S)


def silence_s(moment: Moment) -> float:
    """Return how long the silence lasts by the voice activity detector's clock; infinite at an end."""
    assert moment.silence is not None
    return np.inf if moment.end is None else moment.end - moment.silence.since


def evidence(moment: Moment, at_s: float) -> Evidence:
    """Return what is known at this time of the silence."""
    asked = sum(checkpoint <= at_s + 1e-6 for checkpoint in CHECKPOINTS_S[: len(moment.mini)]) - 1
    has_text = any(map(str.isalnum, moment.text))
    return Evidence(
        mini=moment.mini[asked],
        smart=moment.smart[asked],
        completeness=moment.completeness if has_text else None,
        text=moment.text if has_text else "",
    )


def _hazard(pauses: Floats) -> tuple[float, float]:
    """Return the shape and scale of the Lomax distribution that fits the pauses' silences (maximum likelihood)."""
    beyond = pauses[pauses > FIRST_S] - FIRST_S
    best = (-np.inf, 0.0, 0.0)
    for scale in _HAZARD_SCALES_S:
        logs = np.log1p(beyond / scale).sum()
        shape = len(beyond) / logs
        best = max(best, (len(beyond) * np.log(shape / scale) - (shape + 1) * logs, shape, scale))
    return float(best[1]), float(max(0.0, best[2] - FIRST_S))


def rounded(fusion: Fusion) -> dict[str, object]:
    """Return the weights as JSON holds them."""
    return {
        "weights": {
            name: {key: round(value, 4) for key, value in asdict(weight).items()}
            for name, weight in fusion.weights.items()
        },
        "bias": round(fusion.bias, 4),
        "hazard_shape": round(fusion.hazard_shape, 4),
        "hazard_scale_s": round(fusion.hazard_scale_s, 4),
    }


if __name__ == "__main__":
    main()
