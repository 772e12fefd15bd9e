"""What others in the room send: names, texts and the remote procedure."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.publisher import RoomPublisher
from agent_worker.room.strategy_choice import STRATEGY_NAMES, let_caller_choose_strategy
from agent_worker.room.topics import SET_STRATEGY
from agent_worker.telemetry.record import CallIdentity, TurnRecord, Usage, turn_record
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


def room_publisher(send_text: Any, caller: Callable[[], str | None], **options: Any) -> RoomPublisher:
    room: Any = SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text))
    return RoomPublisher(room, caller, **options)


class Sent:
    """Messages that the agent has sent, with their receivers."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[str]]] = []

    async def __call__(self, text: str, *, topic: str, destination_identities: list[str]) -> None:
        self.messages.append((json.loads(text), destination_identities))


def a_record() -> TurnRecord:
    usage = Usage(prompt_tokens=10, cost_usd=0.5)
    return dataclasses.replace(turn_record(1, None, [], [], None), answer="Nine.", usage=usage)


async def test_only_the_caller_receives_turn_records_and_preresponses() -> None:
    sent = Sent()
    publisher = room_publisher(sent, lambda: "caller")
    publisher.publish_preresponse("Let me see.", "phrase")
    publisher.publish_backchannel("Mm-hmm.", 0.51234)
    publisher.publish_turn(a_record())
    await publisher.flush()
    assert [receivers for _, receivers in sent.messages] == [["caller"]] * 3
    assert sent.messages[1][0] == {"text": "Mm-hmm.", "seconds": 0.512}


async def test_nobody_receives_anything_while_there_is_no_caller() -> None:
    sent = Sent()
    publisher = room_publisher(sent, lambda: None)
    publisher.publish_preresponse("Let me see.", "phrase")
    publisher.publish_backchannel("Mm-hmm.", 0.5)
    publisher.publish_turn(a_record())
    await publisher.flush()
    assert sent.messages == []


@pytest.mark.parametrize("with_usage", [False, True])
async def test_caller_receives_usage_and_cost_only_if_that_is_set(with_usage: bool) -> None:
    sent = Sent()
    publisher = room_publisher(sent, lambda: "caller", with_usage=with_usage)
    publisher.publish_turn(a_record())
    await publisher.flush()
    ((record, _),) = sent.messages
    assert record["answer"] == "Nine."
    assert (record["usage"] is not None) is with_usage
    assert ("0.5" in json.dumps(record)) is with_usage


async def test_caller_learns_the_id_of_the_call_and_nothing_of_the_machine(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "agent_worker")
    sent = Sent()
    publisher = room_publisher(sent, lambda: "caller", turn_log="timing")
    call = CallIdentity("call-1", "call-1", "pod-7", "0.1.0")
    publisher.publish_turn(dataclasses.replace(a_record(), call=call))
    await publisher.flush()
    ((record, _),) = sent.messages
    assert record["call"] == {"id": "call-1", "room": "call-1", "worker": None, "version": None, "trace_id": None}
    assert vars(caplog.records[0])["turn_record"]["call"] == dataclasses.asdict(call)


async def test_log_has_the_usage_that_the_caller_does_not_receive(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "agent_worker")
    room_publisher(Sent(), lambda: None, turn_log="timing").publish_turn(a_record())
    assert vars(caplog.records[0])["turn_record"]["usage"]["cost_usd"] == 0.5


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_whatever_was_said_is_sent_as_json_or_not_at_all(said: str) -> None:
    sent: list[str] = []

    async def send_text(text: str, *, topic: str, destination_identities: list[str]) -> None:
        text.encode()
        sent.append(text)

    async def publish() -> None:
        room = SimpleNamespace(local_participant=SimpleNamespace(send_text=send_text))
        publisher = RoomPublisher(room, lambda: "caller")  # type: ignore[arg-type]
        publisher.publish_preresponse(said, "llm")
        await publisher.flush()

    asyncio.run(publish())
    assert json.loads(sent[0])["text"] == said


async def test_room_that_refuses_a_message_costs_nothing_and_gets_the_next_one() -> None:
    tried: list[str] = []

    async def send_text(text: str, *, topic: str, destination_identities: list[str]) -> None:
        tried.append(json.loads(text)["text"])
        if len(tried) == 1:
            raise ConnectionError("the room is closed")

    publisher = room_publisher(send_text, lambda: "caller")
    publisher.publish_preresponse("Let me see.", "phrase")
    await publisher.flush()
    publisher.publish_preresponse("One moment.", "phrase")
    await publisher.flush()
    assert tried == ["Let me see.", "One moment."]
