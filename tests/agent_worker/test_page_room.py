from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import JobRequest

from agent_worker.core.page_room import METADATA_KEY, is_canary_room, is_page_room, signed_metadata
from agent_worker.lifecycle.room_admission import page_rooms_only

ROOM, SECRET, NOW = "call-1", "s3cret", 1_790_000_000
METADATA = signed_metadata(ROOM, NOW + 0.7, SECRET)
TICKET = json.loads(METADATA)[METADATA_KEY]


def metadata(**changes: object) -> str:
    return json.dumps({METADATA_KEY: {**TICKET, **changes}})


@pytest.mark.parametrize("created_at", [NOW, NOW + 1, NOW + 50, NOW - 50])
def test_room_that_was_signed_when_it_was_created_is_the_pages(created_at: int) -> None:
    assert is_page_room(ROOM, created_at, METADATA, SECRET)


def test_other_fields_of_the_metadata_do_not_matter() -> None:
    assert is_page_room(ROOM, NOW, json.dumps({"topic": "trains", **json.loads(METADATA)}), SECRET)


@pytest.mark.parametrize(
    ("room", "created_at", "found", "secret"),
    [
        pytest.param(ROOM, NOW + 61, METADATA, SECRET, id="a later room of the same name"),
        pytest.param(ROOM, NOW - 61, METADATA, SECRET, id="an earlier room"),
        pytest.param("call-2", NOW, METADATA, SECRET, id="another room"),
        pytest.param(ROOM, NOW, METADATA, "other", id="another secret"),
        pytest.param(ROOM, NOW, "", SECRET, id="no metadata, as of a room that LiveKit makes for whoever joins"),
        pytest.param(ROOM, NOW + 900, metadata(issued_at=NOW + 900), SECRET, id="renewed without the secret"),
        pytest.param(ROOM, NOW, metadata(issued_at=str(NOW)), SECRET, id="time as text"),
        pytest.param(ROOM, NOW, metadata(issued_at=float(NOW)), SECRET, id="time as a float"),
        pytest.param(ROOM, NOW, metadata(issued_at=True), SECRET, id="time as a boolean"),
        pytest.param(ROOM, NOW, metadata(signature=""), SECRET, id="no signature"),
        pytest.param(ROOM, NOW, metadata(signature=None), SECRET, id="null as signature"),
        pytest.param(ROOM, NOW, metadata(signature="ü\ud800"), SECRET, id="signature with a surrogate"),
        pytest.param(ROOM, NOW, json.dumps({METADATA_KEY: None}), SECRET, id="no ticket"),
        pytest.param(ROOM, NOW, "[" * 100_000, SECRET, id="deeply nested"),
    ],
)
def test_other_rooms_are_not_the_pages(room: str, created_at: int, found: str, secret: str) -> None:
    assert not is_page_room(room, created_at, found, secret)


@given(st.one_of(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)))
def test_any_metadata_is_judged(found: str) -> None:
    assert not is_page_room(ROOM, NOW, found, SECRET)


class Job:
    """A job request for a room."""

    def __init__(self, room_metadata: str, created_at: int = NOW) -> None:
        self.room = SimpleNamespace(name=ROOM, creation_time=created_at, metadata=room_metadata)
        self.outcomes: list[str] = []

    async def reject(self, *, terminate: bool = True) -> None:
        self.outcomes.append(f"rejected, for all workers: {terminate}")


async def outcomes(job: Job) -> list[str]:
    async def accept(request: JobRequest) -> None:
        cast("Any", request).outcomes.append("accepted")

    await page_rooms_only(SECRET, accept)(cast("JobRequest", job))
    return job.outcomes


async def test_worker_accepts_a_room_of_the_page_and_refuses_a_later_one_of_the_same_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await outcomes(Job(METADATA)) == ["accepted"]
    assert not caplog.records
    for later in (Job(""), Job(METADATA, created_at=NOW + 3600)):
        assert await outcomes(later) == ["rejected, for all workers: True"]
    assert "WORKER_PAGE_ROOMS_ONLY" in caplog.text
    assert ROOM not in caplog.text


def test_room_of_the_canary_is_accepted_like_the_pages_and_told_apart() -> None:
    found = signed_metadata(ROOM, NOW, SECRET, is_canary=True)
    assert is_page_room(ROOM, NOW, found, SECRET)
    assert is_canary_room(found)
    for other in (METADATA, "", "[]", "{}", '{"agent_worker.canary": "true"}', "[" * 100_000):
        assert not is_canary_room(other)
