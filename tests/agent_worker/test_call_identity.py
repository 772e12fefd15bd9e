"""Which id a call has, and what is told of the worker."""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest

from agent_worker.core.page_room import signed_metadata
from agent_worker.core.settings import CloudSettings, load
from agent_worker.lifecycle import call_identity
from agent_worker.lifecycle.call_identity import identity_of

SECRET = "a secret of the deployment"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> CloudSettings:
    for name in ("LIVEKIT_API_KEY", "GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)
    monkeypatch.delenv("AGENT_WORKER_VERSION", raising=False)
    monkeypatch.setattr(call_identity.socket, "gethostname", lambda: "pod-7")
    return load(CloudSettings)


def job(room: str, room_metadata: str = "") -> Any:
    made = SimpleNamespace(name=room, sid="RM_1", creation_time=1_790_000_000, metadata=room_metadata)
    return SimpleNamespace(job=SimpleNamespace(room=made))


def test_room_of_the_page_is_the_id_of_its_call(settings: CloudSettings) -> None:
    identity = identity_of(job("call-12ab", signed_metadata("call-12ab", 1_790_000_000, SECRET)), settings)
    assert (identity.id, identity.room, identity.worker) == ("call-12ab", "call-12ab", "pod-7")


def test_other_rooms_have_livekits_id_as_their_names_may_return_or_hold_a_telephone_number(
    settings: CloudSettings,
) -> None:
    assert identity_of(job("call-_+15105550100_x"), settings).id == "RM_1"


def test_version_is_that_of_the_deployment_or_else_of_the_package(settings: CloudSettings) -> None:
    assert identity_of(job("room"), settings).version == metadata.version("agent-worker")
    deployed = settings.model_copy(update={"agent_worker_version": "3f2a1c"})
    assert identity_of(job("room"), deployed).version == "3f2a1c"
