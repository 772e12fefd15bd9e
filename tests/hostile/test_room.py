"""What others in the room send: names, texts and the remote procedure."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent_worker.room.publisher import STRATEGY_NAMES, RoomLink
from agent_worker.room.topics import SET_STRATEGY
from tests.hostile.strategies import ANY_TEXT

IDENTITIES = st.one_of(ANY_TEXT, st.sampled_from(["caller", "Caller", "caller ", "caller\0", "", "agent"]))


class Me:
    """The agent's participant, as far as a :class:`RoomLink` uses it."""

    def __init__(self) -> None:
        self.methods: dict[str, Any] = {}
        self.attributes: dict[str, str] = {}

    def register_rpc_method(self, name: str, method: Any) -> None:
        self.methods[name] = method

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self.attributes.update(attributes)


async def choose(linked: str | None, identity: str, payload: str) -> tuple[str, str]:
    """What a request for a strategy comes to, and the strategy then in force."""
    me, agent = Me(), SimpleNamespace(strategy=SimpleNamespace(name="phrase"))
    caller = None if linked is None else SimpleNamespace(identity=linked)
    link = RoomLink(SimpleNamespace(local_participant=me), SimpleNamespace(turn_log="off"))  # type: ignore[arg-type]
    session = SimpleNamespace(room_io=SimpleNamespace(linked_participant=caller))
    await link.let_caller_choose_strategy(session, agent)  # type: ignore[arg-type]
    request = rtc.RpcInvocationData("1", identity, payload, 10.0)
    try:
        answer = await me.methods[SET_STRATEGY](request)
    except rtc.RpcError as error:
        answer = error.message
    now = agent.strategy
    return answer, now if isinstance(now, str) else now.name


@given(st.one_of(st.none(), IDENTITIES), IDENTITIES, st.one_of(ANY_TEXT, st.sampled_from(STRATEGY_NAMES)))
def test_only_the_caller_and_only_a_known_name_changes_the_strategy(
    linked: str | None, identity: str, payload: str
) -> None:
    answer, strategy = asyncio.run(choose(linked, identity, payload))
    allowed = identity == linked and payload in STRATEGY_NAMES
    assert strategy == (payload if allowed else "phrase")
    assert allowed or answer in (
        "only the caller may choose the strategy",
        f"no such strategy: use one of {', '.join(STRATEGY_NAMES)}",
    )


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_whatever_was_said_is_sent_as_json_or_not_at_all(said: str) -> None:
    sent: list[str] = []

    async def send_text(text: str, *, topic: str) -> None:
        text.encode()
        sent.append(text)

    async def publish() -> None:
        room = SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text))
        link = RoomLink(room, SimpleNamespace(turn_log="off"))  # type: ignore[arg-type]
        link.publish_preresponse(said, "llm")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(publish())
    assert json.loads(sent[0])["text"] == said


@pytest.mark.parametrize("words", [None, "", "\ud800"])
async def test_room_that_takes_nothing_does_not_matter(words: str | None) -> None:
    async def send_text(*_: Any, **__: Any) -> None:
        raise ConnectionError("the room is closed")

    room = SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text))
    link = RoomLink(room, SimpleNamespace(turn_log="off"))  # type: ignore[arg-type]
    link.publish_preresponse(words or "", "phrase")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
