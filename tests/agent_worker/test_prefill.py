from __future__ import annotations

import asyncio
import logging

import pytest
from livekit.agents import Agent, APIStatusError

from agent_worker.lifecycle.prefill import prefill
from agent_worker.testing.llm import ScriptedLLM
from tests.waiting import until


async def test_model_reads_the_instructions_and_writes_no_answer() -> None:
    model = ScriptedLLM(*["word "] * 50)
    await prefill(model, Agent(instructions="You answer calls for a museum."))
    (request,) = model.requests
    assert request.messages()[0].text_content == "You answer calls for a museum."
    assert model.cancelled == 1


async def test_model_that_is_not_ready_is_logged_and_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    await prefill(ScriptedLLM(APIStatusError("secret", status_code=404)), Agent(instructions="Be brief."))
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING][-1] == (
        "the main model is not ready: APIStatusError"
    )
    assert not [record for record in caplog.records if record.name == "agent_worker" and "secret" in record.message]


async def test_call_does_not_wait_for_it() -> None:
    model = ScriptedLLM("word", gate=asyncio.Event())
    task = prefill(model, Agent(instructions="Be brief."))
    await until(model.asked.is_set)
    assert not task.done()
    task.cancel()
