"""What others in the room send: names, texts and the remote procedure."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.publisher import RoomPublisher
from agent_worker.room.strategy_choice import STRATEGY_NAMES, let_caller_choose_strategy
from agent_worker.room.topics import SET_STRATEGY
from agent_worker.testing import ScriptedLLM
from tests.hostile.strategies import ANY_TEXT

IDENTITIES = st.one_of(ANY_TEXT, st.sampled_from(["caller", "Caller", "caller ", "caller\0", "", "agent"]))


class Me:
    """The agent's participant, as far as the strategy choice uses it."""

    def __init__(self) -> None:
        self.methods: dict[str, Any] = {}
        self.attributes: dict[str, str] = {}

    def register_rpc_method(self, name: str, method: Any) -> None:
        self.methods[name] = method

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self.attributes.update(attributes)


async def choose(linked: str | None, identity: str, payload: str) -> tuple[str, str]:
    """What a request for a strategy comes to, and the strategy then in force."""
    me, agent = Me(), PreResponseAgent(instructions="", fast_llm=ScriptedLLM())
    caller = None if linked is None else SimpleNamespace(identity=linked)
    session = SimpleNamespace(room_io=SimpleNamespace(linked_participant=caller))
    await let_caller_choose_strategy(SimpleNamespace(local_participant=me), session, agent)  # type: ignore[arg-type]
    request = rtc.RpcInvocationData("1", identity, payload, 10.0)
    try:
        answer = await me.methods[SET_STRATEGY](request)
    except rtc.RpcError as error:
        answer = error.message
    return answer, agent.strategy_name


@given(st.one_of(st.none(), IDENTITIES), IDENTITIES, st.one_of(ANY_TEXT, st.sampled_from(STRATEGY_NAMES)))
def test_only_the_caller_and_only_a_known_name_changes_the_strategy(
    linked: str | None, identity: str, payload: str
) -> None:
    answer, strategy = asyncio.run(choose(linked, identity, payload))
    allowed = identity == linked and payload in STRATEGY_NAMES
    assert strategy == (payload if allowed else "phrase")
    assert allowed or answer in (
        "only the caller may choose the strategy",
        f"unknown strategy: use one of {', '.join(STRATEGY_NAMES)}",
    )


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_whatever_was_said_is_sent_as_json_or_not_at_all(said: str) -> None:
    sent: list[str] = []

    async def send_text(text: str, *, topic: str) -> None:
        text.encode()
        sent.append(text)

    async def publish() -> None:
        room = SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text))
        publisher = RoomPublisher(room)  # type: ignore[arg-type]
        publisher.publish_preresponse(said, "llm")
        await publisher.flush()

    asyncio.run(publish())
    assert json.loads(sent[0])["text"] == said


async def test_room_that_refuses_a_message_costs_nothing_and_gets_the_next_one() -> None:
    tried: list[str] = []

    async def send_text(text: str, *, topic: str) -> None:
        tried.append(json.loads(text)["text"])
        if len(tried) == 1:
            raise ConnectionError("the room is closed")

    publisher = RoomPublisher(SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text)))  # type: ignore[arg-type]
    publisher.publish_preresponse("Let me see.", "phrase")
    await publisher.flush()
    publisher.publish_preresponse("One moment.", "phrase")
    await publisher.flush()
    assert tried == ["Let me see.", "One moment."]
