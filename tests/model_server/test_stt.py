from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest

from model_server.stt import Whisper, without_padding


@pytest.mark.parametrize(
    ("used", "expected"), [(0, 1500), (1, 1500), (300, 1500), (1400, 1500), (1401, 1600), (2950, 3000), (3000, 3000)]
)
def test_encoder_reads_no_more_padding_than_it_needs(used: int, expected: int) -> None:
    features = np.zeros((80, 3000), np.float32)
    features[:, :used] = np.linspace(-1, 1, 80)[:, np.newaxis]
    shorter = without_padding(features)
    assert shorter.shape == (80, expected)
    assert np.array_equal(shorter[:, :used], features[:, :used])
    assert np.all(shorter[:, used:] == (-1 if used else 0)), "the rest is silent"
    assert not features[:, used:].any(), "the caller's array is as it was"


@pytest.mark.parametrize(("language", "is_taken"), [("en", True), ("de", False), ("fil", False), ("multi", False)])
def test_english_model_takes_english_only(language: str, is_taken: bool) -> None:
    assert Whisper.takes_language(Mock(), "nova-3", language) is is_taken
