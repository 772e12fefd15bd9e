"""``python -m training.completeness``: train the model of complete and incomplete turns.

Whole utterances of ``training/utterances`` and of ``--dialogues FOLDER`` against their beginnings. The folder may hold
``logs.json`` files of DSTC10 (track 2, task 2: spoken, as recognised), of which dialogues whose number is divisible by
five are kept aside. Writes ``agent_worker/turn_taking/data/completeness.npz``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from agent_worker.text.intent import Intent
from agent_worker.turn_taking.completeness import BUCKETS, buckets
from training.train import read

MODEL = Path(__file__).parents[1] / "agent_worker" / "turn_taking" / "data" / "completeness.npz"
_INVERSE_REGULARISATION = 3.0
_KEPT_ASIDE = 5
_NOT_WHOLE = frozenset({Intent.UNFINISHED, Intent.NOISE, Intent.UNCLEAR})
_FIRST_WORD_SHARE = 0.3
"""How often a beginning may be one word: a word on its own is more often an answer."""
_FILLERS = ("um", "uh", "er", "uhm", "äh", "euh", "eh")
_FILLER_SHARE = 0.15
_DICTATIONS = 400
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_NAMES = ("anna", "mark", "smith", "jones", "brandt", "keller", "garcia", "nguyen", "lopez", "schmidt", "taylor")
_DOMAINS = ("gmail dot com", "example dot com", "yahoo dot com", "outlook dot com", "mail dot org")


class Turn(NamedTuple):
    """A caller's turn, the agent's words before it, and whether it is whole."""

    question: str
    text: str
    is_whole: bool


def main() -> None:
    """Train, validate and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dialogues", type=Path, help="folder with logs.json files of DSTC10; without: own utterances")
    options = parser.parse_args()
    random = np.random.default_rng(7)
    turns = [*_own(), *_dictations(random), *(_dstc10(options.dialogues) if options.dialogues else ())]
    samples = [sample for turn in turns for sample in _with_beginnings(turn, random)]
    groups = np.array([index for index, turn in enumerate(turns) for _ in range(1 + 2 * turn.is_whole)])
    labels, features = np.array([sample.is_whole for sample in samples]), matrix(samples)
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=500, tol=1e-3, class_weight="balanced")
    folds = [(groups % 5 != fold, groups % 5 == fold) for fold in range(5)]
    predicted = cross_val_predict(
        model, features, labels, cv=[(np.flatnonzero(a), np.flatnonzero(b)) for a, b in folds], method="predict_proba"
    )[:, 1]
    print(f"{len(turns)} turns, {len(samples)} samples; cross-validated AUC {roc_auc_score(labels, predicted):.3f}")
    model.fit(features, labels)
    write(model)
    print(f"written: {MODEL} ({MODEL.stat().st_size / 1024:.0f} KiB)")


def _own() -> Iterator[Turn]:
    for row in read():
        if row.kind == Intent.UNFINISHED:
            yield Turn(row.agent, row.caller, False)
        elif row.kind not in _NOT_WHOLE:
            yield Turn(row.agent, row.caller, True)


def _dstc10(folder: Path) -> Iterator[Turn]:
    for file in sorted(folder.rglob("*.json")):
        dialogues = json.loads(file.read_text(encoding="utf-8"))
        for number, dialogue in enumerate(dialogues):
            if number % _KEPT_ASIDE == 0:
                continue
            before = ""
            for turn in dialogue:
                if turn["speaker"] == "U":
                    yield Turn(before, turn["text"], True)
                before = turn["text"]


def _dictations(random: np.random.Generator) -> Iterator[Turn]:
    """Yield whole numbers, spelled names and addresses, written as recognisers write them."""
    for _ in range(_DICTATIONS):
        digits = [int(digit) for digit in random.integers(0, 10, size=random.choice([4, 5, 6, 7, 10, 10, 10, 11, 16]))]
        kind = {4: "PIN", 5: "zip code", 6: "order number", 16: "card number"}.get(len(digits), "phone number")
        spoken = " ".join(_DIGITS[digit] for digit in digits)
        yield Turn(f"What's your {kind}?", spoken if random.random() < 0.5 else _grouped(digits), True)
        name = str(random.choice(_NAMES))
        yield Turn("Can you spell your name?", " ".join(name), True)
        yield Turn("What's your email address?", f"{name} at {random.choice(_DOMAINS)}", True)
        yield Turn("What's your email?", f"it's {random.choice(_NAMES)} dot {name} at {random.choice(_DOMAINS)}", True)


def _grouped(digits: Sequence[int]) -> str:
    text = "".join(map(str, digits))
    return " ".join([text[:3], text[3:6], text[6:]]) if len(text) > 6 else " ".join(text)


def _with_beginnings(turn: Turn, random: np.random.Generator) -> Iterator[Turn]:
    """Yield the turn, and two beginnings of it if it is whole; some end in a filler."""
    yield turn
    if not turn.is_whole:
        return
    words = turn.text.split()
    for _ in range(2):
        if len(words) < 3 or random.random() < _FILLER_SHARE:
            yield Turn(turn.question, " ".join([*words[:-1], str(random.choice(_FILLERS))]), False)
        else:
            yield Turn(turn.question, " ".join(words[: _cut(len(words), random)]), False)


def _cut(words: int, random: np.random.Generator) -> int:
    shortest = 1 if words == 2 or random.random() < _FIRST_WORD_SHARE else 2
    return int(random.integers(shortest, words))


def matrix(samples: Sequence[Turn]) -> csr_matrix:
    """Return the features, shape (samples, buckets), scaled as ``CompletenessModel`` scales them."""
    columns = [buckets(sample.text, sample.question) for sample in samples]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.concatenate([np.full(len(found), 1 / np.sqrt(len(found))) for found in columns])
    return csr_matrix((values, np.concatenate(columns), ends), shape=(len(samples), BUCKETS))


def write(model: LogisticRegression) -> None:
    """Write the weights as 8-bit integers with one scale."""
    weights: npt.NDArray[np.float64] = np.concatenate([model.coef_[0], model.intercept_])
    scale = np.float32(np.abs(weights).max() / 127)
    MODEL.parent.mkdir(exist_ok=True)
    np.savez_compressed(MODEL, weights=np.round(weights / scale).astype(np.int8), scale=scale)


if __name__ == "__main__":
    main()
