from __future__ import annotations

import pytest

from call_guard.settings import GuardSettings

LIVEKIT = {"LIVEKIT_URL": "ws://localhost:7880", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "s3cret-value"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the required settings of the guard, and no others."""
    for field in GuardSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for name, value in LIVEKIT.items():
        monkeypatch.setenv(name, value)
