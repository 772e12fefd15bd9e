"""Telephones on a real LiveKit server, with participants of kind SIP in place of its SIP server; and recordings.

One worker serves all calls. It records them, and its server can neither dial nor transfer, as it has no SIP server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
from livekit import api

from agent_worker import place_call
from agent_worker.text.messages import recording_notice, transfer, transfer_failed
from testbed.processes import poll
from testbed.services import CALLER_TIMEOUT_S, ROOT, Ports, livekit_env
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker
from tests.e2e.people import CalledWorker, speak_until_answered
from tests.waiting import settle, until

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ANSWER = "Trains are old."
GREETING = "Hello, this is the railway museum."
NUMBER = "+15105550199"
DIGITS = NUMBER.removeprefix("+")


@dataclass
class PhoneWorker(CalledWorker):
    """A worker that telephones call.

    Attributes:
        recordings: Its RECORDING_DIR.
    """

    recordings: Path

    def recorded(self) -> set[Path]:
        return set(self.recordings.glob("*.ogg"))  # a part of one has another name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phones(livekit: Ports, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PhoneWorker]:
    folder = tmp_path_factory.mktemp("phones")
    recordings = folder / "recordings"
    recordings.mkdir(mode=0o700)
    settings = {
        "AGENT_NAME": "phones",
        "NO_GREETING": "",
        "GREETING": GREETING,
        "SILENCE_PROMPT_DELAY": "0",
        "DTMF_DELAY": "60",  # a turn of keys ends with #, however slow the machine
        "RECORDING_DIR": str(recordings),
        "SIP_OUTBOUND_TRUNK": "ST_none",
        "TRANSFER_TO": "tel:+15105550100",
    }
    async with simulated_worker(folder, livekit, settings, {"llm": {"*": {"replies": [ANSWER]}}}) as (ports, child):
        yield PhoneWorker(ports, child, "phones", recordings)


async def test_phone_is_greeted_and_recorded_when_it_is_answered_and_its_keys_are_a_turn(
    phones: PhoneWorker, speaker: Speaker
) -> None:
    wav = await speaker.wav("How old are trains, please?")
    before = phones.recorded()
    async with phones.call("phone", "phone", phone="dialing") as phone, phone.microphone() as microphone:
        await phone.agent()
        await phones.set_call_status(phone, "ringing")
        await settle()
        assert phone.said == []
        await phones.set_call_status(phone, "active")
        await until(lambda: phone.heard(GREETING))
        assert phone.said[:2] == [recording_notice("en"), GREETING]
        await phone.agent()
        await phone.press("42#")
        await until(lambda: [turn["caller"] for turn in phone.turns()] == ["42"])
        await speak_until_answered(phone, microphone, wav)
    await until(lambda: phones.recorded() - before)
    (recording,) = phones.recorded() - before
    assert [is_audible(channel) for channel in channels(recording)] == [True, True]


def channels(recording: Path) -> list[np.ndarray]:
    """Return the samples of each channel of a recording."""
    with av.open(str(recording)) as container:
        (stream,) = container.streams.audio
        assert stream.codec_context.name in ("opus", "libopus")
        frames = [frame.to_ndarray() for frame in container.decode(stream)]
    return list(np.concatenate(frames, axis=1))


def is_audible(samples: np.ndarray) -> bool:
    return bool(np.abs(samples).max() > 0.05)


async def test_phone_that_is_not_answered_is_neither_greeted_nor_recorded(phones: PhoneWorker) -> None:
    before = phones.recorded()
    async with phones.call("ringing", "phone", phone="ringing") as phone:
        agent = await phone.agent()
        await settle()
        assert phone.said == []
    await phones.until_ended(agent.identity)
    assert phones.recorded() == before


async def test_caller_who_cannot_be_put_through_is_told_and_helped_on(phones: PhoneWorker) -> None:
    await phones.simulate(llm={"*": {"replies": [ANSWER], "calls_tool": True}})
    async with phones.call("transfer", "phone", phone="active") as phone:
        await until(lambda: phone.heard(GREETING))
        await phone.turn("I want to talk to a person.")
        await until(lambda: phone.heard(transfer("en")))
        await until(lambda: phone.heard(transfer_failed("en")))
        await phones.simulate(llm={"*": {"replies": [ANSWER]}})
        _, turn = await phone.turn("How old are trains?")
        assert turn["answer"] == ANSWER
    assert "a caller was not put through" in phones.child.output()


async def test_call_that_cannot_be_placed_ends_without_a_trace_of_the_number(phones: PhoneWorker) -> None:
    before = phones.child.output().count("a call could not be placed")
    async with phones.livekit() as livekit:
        room = await place_call(livekit, phones.name, NUMBER, metadata={"order": 42})
        await until_closed(livekit, room)
        output = await run_caller(phones, "--dial", NUMBER)
        room = output.split()[-1]
        await until_closed(livekit, room)
    await phones.until_idle()
    log = phones.child.output()
    assert log.count("a call could not be placed") == before + 2
    assert DIGITS not in log


async def until_closed(livekit: api.LiveKitAPI, room: str) -> None:
    """Wait until there is no such room."""

    async def is_closed() -> bool:
        return not (await livekit.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms

    await poll(is_closed)


async def run_caller(worker: CalledWorker, *arguments: str) -> str:
    """Run the command ``caller`` for the worker's agent; return what it prints."""
    command = [sys.executable, "-m", "caller", "--agent-name", worker.name, *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **livekit_env(worker.ports)},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_command_caller_reaches_the_agent_by_its_name(phones: PhoneWorker) -> None:
    timeouts = [
        argument for name in ("connect", "agent", "reply") for argument in (f"--{name}-timeout", str(CALLER_TIMEOUT_S))
    ]
    output = await run_caller(phones, "--room", "by-name", "--phone", "--keys", "42#", *timeouts)
    assert "turn 1  42#: reply after" in output
