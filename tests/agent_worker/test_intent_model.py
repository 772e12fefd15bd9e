from __future__ import annotations

import numpy as np
import pytest

from agent_worker.text.intent import Intent
from agent_worker.text.intent_model import BUCKETS, IntentModel, buckets


def test_probabilities_add_up_to_one_for_any_text() -> None:
    model = IntentModel.load()
    for text in ("", "?", "Hello there", "word " * 5000, "\U0001f600", "x" * 10000):
        assert sum(model.probabilities(text, "", "story").values()) == pytest.approx(1.0)


def test_every_class_of_the_model_is_an_intent() -> None:
    assert {Intent(name) for name in IntentModel.load().intents} <= set(Intent)


def test_weights_of_the_words_decide() -> None:
    weights = np.zeros((BUCKETS + 1, 2), dtype=np.float32)
    weights[buckets("bye", "", "story"), 1] = 1.0
    model = IntentModel(["story", "goodbye"], weights)
    assert model.probabilities("bye", "", "story")["goodbye"] > 0.9


def test_same_words_have_the_same_features_in_every_process() -> None:
    assert buckets("Hi!", "", "greeting") == sorted(buckets("hi!", "", "greeting"))
    assert len(buckets("Hi!", "", "greeting")) < 40
