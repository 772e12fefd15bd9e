from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_server.weights import SMOLLM
from tests.model_server.servers import Address, server_process

SIMULATION = {
    "seed": 7,
    "models": [
        "small",
        "large",
        "cycling",
        "nova-3",
        "gpt-4o-mini-transcribe",
        "whisper-1",
        "tts-1",
        "gpt-4o-mini-tts",
    ],
    "llm": {
        "*": {"replies": ["one two three"]},
        "cycling": {"replies": ["first", "second"]},
    },
    "stt": {"*": {"transcripts": ["Hello there.", "How are you today?"]}},
    "tts": {"*": {"chars_per_second": 10, "tone_hz": 300}},
}
KEY = "a-key"


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    config: Path = tmp_path_factory.mktemp("simulation") / "config.json"
    config.write_text(json.dumps(SIMULATION))
    with server_process("--simulated", str(config)) as address:
        yield address


@pytest.fixture(scope="session")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Recognises "I would like to book," with a pause in the turn, then the rest."""
    transcripts = ["I would like to book,", "a table for two.", "And for when?"]
    config: Path = tmp_path_factory.mktemp("flux") / "config.json"
    config.write_text(json.dumps({"seed": 7, "stt": {"*": {"transcripts": transcripts}}}))
    with server_process("--simulated", str(config)) as address:
        yield address


@pytest.fixture(scope="session")
def locked() -> Iterator[Address]:
    with server_process("--simulated", "default", "--api-key", KEY) as address:
        yield address


@pytest.fixture(scope="session")
def real() -> Iterator[Address]:
    with server_process("--main-model", SMOLLM, "--fast-model", SMOLLM) as address:
        yield address
