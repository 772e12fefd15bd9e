from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from page_server.rooms import RoomsUnavailableError
from page_server.settings import PageSettings

LIVEKIT = {"LIVEKIT_URL": "ws://localhost:7880", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "s3cret-value"}


class FakeRooms:
    """Rooms without a LiveKit server."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.is_available = True
        self.listings = 0

    async def create(self, name: str) -> None:
        if not self.is_available:
            raise RoomsUnavailableError
        self.names.add(name)

    async def existing(self, names: Collection[str]) -> set[str]:
        self.listings += 1
        if not self.is_available:
            raise RoomsUnavailableError
        return self.names & set(names)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return the folder of a built page."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Talk</title>")
    (tmp_path / "assets" / "index-4f2a.js").write_text("// " + "x" * 5000)
    return tmp_path


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, page: Path) -> None:
    """Set the required settings of the page server, and no others."""
    for field in PageSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for name, value in {**LIVEKIT, "PAGE_DIR": str(page)}.items():
        monkeypatch.setenv(name, value)
