from __future__ import annotations

import numpy as np
import pytest
from faster_whisper import WhisperModel

from model_server.stt import _ShortWindowModel


@pytest.mark.parametrize(
    ("used", "encoded"), [(0, 1500), (1, 1500), (300, 1500), (1400, 1500), (1401, 1600), (3000, 3000)]
)
def test_encoder_reads_no_more_padding_than_it_needs(used: int, encoded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(WhisperModel, "encode", lambda self, features: seen.append(features))
    features = np.zeros((80, 3000), np.float32)
    features[:, :used] = np.linspace(-1, 1, 80)[:, np.newaxis]
    _ShortWindowModel.__new__(_ShortWindowModel).encode(features)
    assert seen[0].shape == (80, encoded)
    assert np.array_equal(seen[0][:, :used], features[:, :used])
    assert np.all(seen[0][:, used:] == (-1 if used else 0)), "the rest is silent"
    assert not features[:, used:].any(), "the caller's array is as it was"
