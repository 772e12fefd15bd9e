"""``python -m training.moves --dialogues FOLDER``: train the model of human agents' moves.

The folder holds dialogues of people that ``evals.preresponse.dialogues`` reads. The model is trained on their part
``train`` and reported on their part ``test``; the part that is kept aside is never read. Each turn is used as it is and
without its words, so that the model also knows what the situation alone says.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, cross_val_predict

from agent_worker.text.asked import Situation, situation
from agent_worker.text.move import Move
from agent_worker.text.move_model import BUCKETS, GROUPS, buckets
from evals.preresponse.dialogues import Dialogue, read
from evals.preresponse.moves import begun_by_human

MODEL = Path(__file__).parents[1] / "agent_worker" / "text" / "data" / "moves" / "model.npz"
_INVERSE_REGULARISATION = 3.0
_LANGUAGE = "en"
#: Shares of the turns that are used a second time with the agent's words cut off, as an interrupted agent's are.
_CUT_OFF_SHARE = 0.5
_GROUP_OF = {"look-up": Move.LOOK_UP, "one word": Move.WORD, "nothing": Move.NOTHING}


class Sample(NamedTuple):
    """A caller's turn and the human agent's move."""

    dialogue: int
    text: str
    situation: Situation
    move: Move


def main() -> None:
    """Train, validate and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dialogues", type=Path, required=True, help="folder with dialogues of people")
    dialogues = read(parser.parse_args().dialogues)
    train = samples([dialogue for dialogue in dialogues if dialogue.part == "train"], random.Random(7))
    test = [each for each in samples([d for d in dialogues if d.part == "test"], random.Random(7)) if each.text]
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=500)
    features, moves = matrix(train), labels(train)
    folds = GroupKFold(5).split(features, moves, [sample.dialogue for sample in train])
    guessed = cross_val_predict(model, features, moves, cv=list(folds), method="predict_proba")
    print(f"{len(train)} samples; cross-validated by dialogue: {scores(moves, guessed)}")
    model.fit(features, moves)
    print(f"test, {len(test)} samples: {scores(labels(test), model.predict_proba(matrix(test)))}")
    write(model)
    print(f"written: {MODEL} ({MODEL.stat().st_size / 1024:.0f} KiB)")


def samples(dialogues: list[Dialogue], rng: random.Random) -> list[Sample]:
    """Return the turns that a human agent replied to: as they are, without words, and with a cut-off context."""
    found = []
    for number, dialogue in enumerate(dialogues):
        for exchange in (each for each in dialogue.exchanges if each.reply):
            seen = situation(exchange.caller, exchange.agent, _LANGUAGE)
            move = _GROUP_OF[begun_by_human(exchange.reply)]
            found += [Sample(number, exchange.caller, seen, move), Sample(number, "", seen, move)]
            if rng.random() < _CUT_OFF_SHARE:
                words = exchange.agent.split()
                cut = " ".join(words[: rng.randint(0, len(words))])
                found.append(Sample(number, exchange.caller, situation(exchange.caller, cut, _LANGUAGE), move))
    return found


def matrix(found: list[Sample]) -> csr_matrix:
    """Return the features, shape (samples, buckets), scaled as ``MoveModel`` scales them."""
    columns = [buckets(sample.text, sample.situation) for sample in found]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.concatenate([np.full(len(of_sample), 1 / np.sqrt(len(of_sample))) for of_sample in columns])
    return csr_matrix((values, np.concatenate(columns), ends), shape=(len(found), BUCKETS))


def labels(found: list[Sample]) -> npt.NDArray[np.int64]:
    """Return the index of each sample's move in ``GROUPS``."""
    return np.array([GROUPS.index(sample.move) for sample in found])


def scores(true: npt.NDArray[np.int64], guessed: npt.NDArray[np.float64]) -> str:
    """Return accuracy and log loss, beside those of the mere shares."""
    shares = np.bincount(true, minlength=len(GROUPS)) / len(true)
    constant = np.tile(shares, (len(true), 1))
    order = list(range(len(GROUPS)))
    return (
        f"right {np.mean(guessed.argmax(axis=1) == true):.0%} (always the commonest: {shares.max():.0%}), "
        f"log loss {log_loss(true, guessed, labels=order):.2f} "
        f"(shares alone: {log_loss(true, constant, labels=order):.2f}), "
        f"mean probabilities {np.round(guessed.mean(axis=0), 2).tolist()}, shares {np.round(shares, 2).tolist()}"
    )


def write(model: LogisticRegression) -> None:
    """Write the weights as 8-bit integers with one scale."""
    weights = np.vstack([model.coef_.T, model.intercept_])
    scale = np.float32(np.abs(weights).max() / 127)
    np.savez_compressed(MODEL, weights=np.round(weights / scale).astype(np.int8), scale=scale)


if __name__ == "__main__":
    main()
