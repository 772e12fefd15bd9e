"""``python -m training.train``: the kinds of utterances, learned from ``training/utterances/*.tsv``.

Writes ``agent_worker/data/utterance/en.npz`` and prints what five-fold cross-validation says. A line of the utterances:
kind, the agent's last words, the caller's words. They were written for this and hold nothing of the labelled set in
``benchmarks/appropriateness``.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from agent_worker.kind_model import BUCKETS, buckets
from agent_worker.utterance import Kind, by_rules

UTTERANCES = Path(__file__).parent / "utterances"
MODEL = Path(__file__).parents[1] / "agent_worker" / "data" / "utterance" / "en.npz"
STRENGTH = 20.0
"""Inverse of the regularisation."""


def main() -> None:
    rows = read()
    kinds = np.array([kind for kind, _, _ in rows])
    features = matrix([(agent, caller) for _, agent, caller in rows])
    print(f"{len(rows)} utterances: {dict(Counter(kinds.tolist()).most_common())}")
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced")
    report(kinds, cross_val_predict(model, features, kinds, cv=5))
    model.fit(features, kinds)
    write(model)
    print(f"written: {MODEL} ({MODEL.stat().st_size / 1024:.0f} KiB)")


def read() -> list[tuple[str, str, str]]:
    """Kind, agent's words and caller's words of every utterance.

    Raises:
        ValueError: If a line is not three columns with a known kind.
    """
    rows = []
    for file in sorted(UTTERANCES.glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                if len(row) != 3 or row[0] not in list(Kind):
                    raise ValueError(f"{file.name}:{number}: needs kind, agent's words, caller's words: {row}")
                rows.append((row[0], row[1], row[2]))
    return rows


def matrix(turns: list[tuple[str, str]]) -> csr_matrix:
    """One row a turn, scaled as ``KindModel`` scales it."""
    columns = [buckets(caller, agent, by_rules(caller, "en", agent)) for agent, caller in turns]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(len(row))) for row in columns])
    return csr_matrix((values, np.concatenate(columns), ends), shape=(len(turns), BUCKETS))


def report(true: npt.NDArray[np.str_], guessed: npt.NDArray[np.str_]) -> None:
    silent = {kind.value for kind in Kind if kind.silent}
    decisions = [(kind in silent) == (guess in silent) for kind, guess in zip(true, guessed, strict=True)]
    print(f"cross-validated: kind {np.mean(true == guessed):.1%}, speak or be silent {np.mean(decisions):.1%}")
    for kind in sorted(set(true)):
        print(f"  {kind:12} found {np.mean(guessed[true == kind] == kind):.0%}", end="")
        print(f", right when said {np.mean(true[guessed == kind] == kind):.0%}")


def write(model: LogisticRegression) -> None:
    """As 8-bit integers and one scale: a third of a megabyte."""
    weights = np.vstack([model.coef_.T, model.intercept_])
    scale = np.float32(np.abs(weights).max() / 127)
    np.savez_compressed(MODEL, kinds=model.classes_, weights=np.round(weights / scale).astype(np.int8), scale=scale)


if __name__ == "__main__":
    main()
