"""The conversation in the metadata of its room."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import llm

from agent_worker.core.page_room import is_page_room, signed_metadata
from agent_worker.core.sealed import Sealer
from agent_worker.room.conversation import (
    Conversation,
    Message,
    conversation_in,
    messages_of,
    with_conversation,
)
from agent_worker.room.topics import CONVERSATION_KEY

SEALER = Sealer("a secret of the deployment", "test", "RM_1")
ASKED, ANSWERED = Message("user", "How old are trains?"), Message("assistant", "Trains are old.")


def stored(conversation: Conversation, metadata: str = "") -> str:
    found = with_conversation(metadata, conversation, SEALER)
    assert found is not None
    return found


def test_conversation_is_read_again_and_cannot_be_read_by_others() -> None:
    conversation = Conversation((ASKED, ANSWERED), "de")
    metadata = stored(conversation)
    assert conversation_in(metadata, SEALER) == conversation
    assert "trains" not in metadata.lower()
    assert conversation_in(metadata, Sealer("another secret", "test", "RM_1")) is None
    assert conversation_in(metadata, Sealer("a secret of the deployment", "test", "RM_2")) is None


def test_signature_of_the_page_stays_valid() -> None:
    signed = signed_metadata("call-1", 1000, "secret")
    metadata = stored(Conversation((ASKED,)), stored(Conversation((ANSWERED,)), signed))
    assert is_page_room("call-1", 1000, metadata, "secret")
    assert conversation_in(metadata, SEALER) == Conversation((ASKED,))


@pytest.mark.parametrize("metadata", ["text", "[]", "5", '"text"', "{"])
def test_metadata_of_others_that_are_no_object_are_left_alone(metadata: str) -> None:
    assert with_conversation(metadata, Conversation((ASKED,)), SEALER) is None
    assert conversation_in(metadata, SEALER) is None


@pytest.mark.parametrize("value", [None, 5, "", "text", {"a": 1}])
def test_foreign_value_is_no_conversation(value: object) -> None:
    assert conversation_in(json.dumps({CONVERSATION_KEY: value}), SEALER) is None


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=3000)), max_size=200))
def test_conversation_of_any_length_has_room_in_the_metadata_and_keeps_its_end(said: list[tuple[str, str]]) -> None:
    messages = tuple(Message(role, text) for role, text in said)  # type: ignore[arg-type]
    metadata = stored(Conversation(messages))
    assert len(metadata.encode()) < 40_000
    found = conversation_in(metadata, SEALER)
    assert found is not None
    assert found.messages == messages[len(messages) - len(found.messages) :]


def test_long_conversation_keeps_its_last_messages() -> None:
    messages = tuple(Message("user", f"{number} " + "word " * 30) for number in range(1000))
    found = conversation_in(stored(Conversation(messages)), SEALER)
    assert found is not None
    assert 20 <= len(found.messages) <= 60
    assert found.messages[-1] == messages[-1]


def test_only_what_was_said_is_kept() -> None:
    history = llm.ChatContext.empty()
    history.add_message(role="system", content="Be brief.")
    history.add_message(role="user", content="How old are trains?")
    history.items.append(llm.FunctionCall(call_id="1", name="look_up", arguments="{}"))
    history.items.append(llm.FunctionCallOutput(call_id="1", name="look_up", output="1804", is_error=False))
    history.add_message(role="assistant", content="Trains are old.")
    history.add_message(role="assistant", content=[])
    assert messages_of(history.items) == (ASKED, ANSWERED)


def test_last_words_of_the_caller_are_unanswered_until_the_agent_has_spoken() -> None:
    assert Conversation((ANSWERED, ASKED)).unanswered == "How old are trains?"
    assert Conversation((ASKED, ANSWERED)).unanswered == ""
    assert Conversation((ASKED, ANSWERED)).last_words == "How old are trains?"
    assert Conversation((ANSWERED,)).last_words == Conversation(()).unanswered == ""
