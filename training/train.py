"""``python -m training.train``: train the intent model on ``training/utterances/<language>/*.tsv``.

Writes ``agent_worker/text/data/intents/kinds.npz`` and prints the result of five-fold cross-validation. Columns of a
line: intent, the agent's last words, the caller's words. The utterances were written for training; none is in the
labelled set of ``benchmarks/appropriateness``.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from agent_worker.text.intent import Intent
from agent_worker.text.intent_model import BUCKETS, buckets
from agent_worker.text.intent_rules import intent_by_rules

UTTERANCES = Path(__file__).parent / "utterances"
MODEL = Path(__file__).parents[1] / "agent_worker" / "text" / "data" / "intents" / "model.npz"
_INVERSE_REGULARISATION = 40.0
"""Like :data:`_CLASS_BALANCE` chosen by the set ``validation`` of the benchmark."""
_CLASS_BALANCE = 0.25
"""Exponent of the class weights: 0 weighs all utterances the same, 1 all intents."""


class Row(NamedTuple):
    """A caller's utterance with the agent's last words and its intent."""

    language: str
    kind: str
    agent: str
    caller: str


def main() -> None:
    """Train, validate and write the model."""
    rows = read()
    kinds = np.array([row.kind for row in rows])
    features = matrix(rows)
    counts = Counter(kinds.tolist())
    print(f"{len(rows)} utterances: {dict(counts.most_common())}, {dict(Counter(row.language for row in rows))}")
    weights = {kind: (len(rows) / len(counts) / count) ** _CLASS_BALANCE for kind, count in counts.items()}
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=500, tol=1e-3, class_weight=weights)
    report(kinds, cross_val_predict(model, features, kinds, cv=5))
    model.fit(features, kinds)
    write(model)
    print(f"written: {MODEL} ({MODEL.stat().st_size / 1024:.0f} KiB)")


def read() -> list[Row]:
    """Return all utterances.

    Raises:
        ValueError: If a line does not have three columns with a known intent.
    """
    rows = []
    for file in sorted(UTTERANCES.glob("*/*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                if len(row) != 3 or row[0] not in list(Intent):
                    raise ValueError(f"{file.name}:{number}: needs intent, agent's words, caller's words: {row}")
                rows.append(Row(file.parent.name, *row))
    return rows


def matrix(rows: list[Row]) -> csr_matrix:
    """Return the features, shape (utterances, buckets), scaled as ``IntentModel`` scales them."""
    columns = [buckets(row.caller, row.agent, intent_by_rules(row.caller, row.language, row.agent)) for row in rows]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.concatenate([np.full(len(found), 1 / np.sqrt(len(found))) for found in columns])
    return csr_matrix((values, np.concatenate(columns), ends), shape=(len(rows), BUCKETS))


def report(true: npt.NDArray[np.str_], guessed: npt.NDArray[np.str_]) -> None:
    """Print accuracy, and recall and precision of each intent."""
    silent = {intent.value for intent in Intent if intent.suppresses_preresponse}
    decisions = [(kind in silent) == (guess in silent) for kind, guess in zip(true, guessed, strict=True)]
    print(f"cross-validated: kind {np.mean(true == guessed):.1%}, speak or be silent {np.mean(decisions):.1%}")
    for kind in sorted(set(true)):
        print(f"  {kind:12} recall {np.mean(guessed[true == kind] == kind):.0%}", end="")
        print(f", precision {np.mean(true[guessed == kind] == kind):.0%}")


def write(model: LogisticRegression) -> None:
    """Write the weights as 8-bit integers with one scale, a third of a megabyte."""
    weights = np.vstack([model.coef_.T, model.intercept_])
    scale = np.float32(np.abs(weights).max() / 127)
    np.savez_compressed(MODEL, intents=model.classes_, weights=np.round(weights / scale).astype(np.int8), scale=scale)


if __name__ == "__main__":
    main()
