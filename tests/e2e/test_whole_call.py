"""Calls from joining to hanging up: silence, farewells, an agent that dies, several people in a room.

One worker serves all calls but those of a silent caller, whose worker has little patience.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from agent_worker.core.sealed import Sealer
from agent_worker.room.conversation import conversation_in
from agent_worker.text.messages import cut_off, silence_farewell, silence_questions
from testbed.processes import free_port, poll
from testbed.services import API_SECRET, Ports, call_guard, running
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker
from tests.e2e.metrics import scrape
from tests.e2e.people import CalledWorker, Person, speak, speak_until_answered
from tests.waiting import settle, until

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ANSWER = "Trains are old."
ANSWERING = {"llm": {"*": {"replies": [ANSWER]}}}
FIRST_QUESTION, SECOND_QUESTION = silence_questions("en")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def patient(livekit: Ports, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CalledWorker]:
    """A worker that waits for its callers as long as a slow machine may take."""
    name = {"AGENT_NAME": "patient"}
    folder = tmp_path_factory.mktemp("patient")
    # On a very slow machine LiveKit ends the job of an agent whose first attempt to connect takes too long: the guard
    # sends another.
    guard = call_guard(livekit, {**name, "GUARD_ANNOUNCER": "false"})
    async with (
        simulated_worker(folder, livekit, {**name, "SILENCE_PROMPT_DELAY": "0"}, ANSWERING) as (ports, child),
        running([guard], folder),
    ):
        yield CalledWorker(ports, child, "patient")


async def test_silent_caller_is_asked_twice_and_loses_the_call_but_not_one_who_asked_to_wait(
    livekit: Ports, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "AGENT_NAME": "impatient",
        "SILENCE_PROMPT_DELAY": "5",
        "SILENCE_PROMPT_HOLD_DELAY": "3600",
        "WORKER_MAX_CALLS": "2",
        "WORKER_PORT": str(port),
    }
    simulation = {"llm": {"*": {"replies": ["All right."]}}}
    async with simulated_worker(tmp_path, livekit, settings, simulation) as (ports, child):
        worker = CalledWorker(ports, child, "impatient")
        async with worker.call("on-hold", "looks-for-a-card") as on_hold:
            await on_hold.agent()
            await on_hold.turn("Hang on a second, let me find my card.")
            before = len(on_hold.said)
            async with worker.call("silent", "silent") as silent:
                await silent.agent()
                await until(lambda: silent.has_left)
            assert silent.said == [FIRST_QUESTION, SECOND_QUESTION, silence_farewell("en")]
            assert FIRST_QUESTION not in on_hold.said[before:]
            assert not on_hold.has_left
            await worker.until_metric("livekit_calls_ended_total[unanswered]", 1)
            await until_a_slot_is_free(port)


async def until_a_slot_is_free(worker_port: int) -> None:
    async def is_free() -> bool:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{worker_port}/slots") as response:
            return bool((await response.json())["free"])

    await poll(is_free)


async def test_call_ends_when_both_sides_have_said_goodbye(patient: CalledWorker) -> None:
    await patient.simulate(llm={"*": {"replies": [ANSWER, "Thank you for calling. Goodbye!"]}})
    async with patient.call("farewell") as caller:
        await caller.agent()
        await caller.turn("How old are trains?")
        await caller.turn("That is all, thank you. Goodbye!")
        await until(lambda: caller.has_left)
    await patient.until_metric("livekit_calls_ended_total[goodbye]", 1)
    await patient.until_idle()


async def test_agent_that_follows_a_killed_one_goes_on_with_the_call(patient: CalledWorker) -> None:
    await patient.simulate(**ANSWERING)
    await patient.until_idle()
    before = await scrape(patient.ports)
    apology, reminder = cut_off("en")
    async with patient.call("killed") as caller:
        first = await caller.agent()
        await caller.turn("How old are trains?")
        await until_kept(caller, "assistant")
        patient.kill_agent(first.identity)
        await until(lambda: caller.heard(apology))
        await until(lambda: caller.heard(f"{reminder} How old are trains?"))
        _, turn = await caller.turn("And how fast are they?")
        assert turn["answer"] == ANSWER
        assert first.identity not in caller.agents()
        assert len(caller.agents()) == 1
    await patient.until_idle()
    after = await scrape(patient.ports)
    assert counted(before, after, "livekit_conversations_total") == 1
    assert counted(before, after, "livekit_conversations_continued_total") >= 1


async def test_agent_that_follows_a_killed_one_answers_what_was_not_answered(patient: CalledWorker) -> None:
    await patient.simulate(llm={"*": {"ttft_ms": 3_600_000}})
    async with patient.call("unanswered") as caller:
        first = await caller.agent()
        await caller.room.local_participant.send_text("How old are trains?", topic="lk.chat")
        await until_kept(caller, "user")
        await patient.simulate(**ANSWERING)
        patient.kill_agent(first.identity)
        await until(lambda: caller.heard(cut_off("en")[0]))
        await until(lambda: caller.heard(ANSWER))
        _, turn = await caller.turn("And how fast are they?")
        assert turn["answer"] == ANSWER
        assert not caller.heard(cut_off("en")[1])


async def until_kept(caller: Person, role: str) -> None:
    """Wait until the conversation is in the room up to a message of ``role``."""
    sealer = Sealer(API_SECRET, "agent-worker conversation 1", await caller.room.sid)

    def is_kept() -> bool:
        kept = conversation_in(caller.room.metadata, sealer)
        return kept is not None and kept.messages[-1].role == role

    await until(is_kept)


def counted(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after.get(name, 0) - before.get(name, 0)


async def test_who_speaks_is_heard_a_supervisor_is_not_and_the_call_goes_on_when_one_leaves(
    patient: CalledWorker, speaker: Speaker
) -> None:
    wav = await speaker.wav("How old are trains, please?")
    await patient.simulate(**ANSWERING, stt={"*": {"transcripts": ["How old are trains, please?"]}})
    async with (
        patient.call("several", "supervisor", supervisor=True) as supervisor,
        supervisor.microphone() as supervisors_microphone,
        patient.call("several", "second") as second,
        second.microphone() as seconds_microphone,
    ):
        async with patient.call("several", "first") as first, first.microphone() as microphone:
            await first.agent()
            await speak(supervisors_microphone, wav)
            await speak_until_answered(first, microphone, wav)
            await speak_until_answered(second, seconds_microphone, wav)
            await speak_until_answered(first, microphone, wav)
        await speak_until_answered(second, seconds_microphone, wav)
        await settle()
        assert supervisor.turns() == []
        assert supervisor.said == []
