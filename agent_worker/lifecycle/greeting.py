"""Begin a call: greet the caller, on the phone as soon as somebody has answered it and not before."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.lifecycle.answer_screen import AnswerScreen
from agent_worker.lifecycle.recording import Recording
from agent_worker.room.phone import wait_for_answer


def greet_when_answered(
    session: AgentSession[Any],
    room: rtc.Room | None,
    greeting: str | None,
    recording: Recording | None = None,
    screen: AnswerScreen | None = None,
) -> asyncio.Task[None]:
    """Greet the caller once one is on the line, and say first that the call is recorded, if it is.

    Call it after ``session.start``.

    While a phone rings, the session does not listen either: it would take ringback tones and announcements of the
    network for the caller.

    Args:
        session: The call's session.
        room: Its room; None on the console.
        greeting: None: the agent waits for the caller to speak.
        recording: The call's recording; None if it is not recorded.
        screen: Finds out who has answered, and treats a machine, before anything is said; None if nobody is screened.

    Returns:
        The task that waits and greets. The end of the session cancels it.
    """

    async def greet() -> None:
        if room is not None:
            await _wait_for_answer(session, room)
        if screen is not None and not await screen.admits():
            return
        notice = recording.announce() if recording else None
        if greeting is not None:
            session.say(greeting)
        elif screen is not None:
            screen.answer_held_turn()
        if recording and notice:
            await recording.settle(notice)

    task = asyncio.create_task(greet(), name="greeting")
    session.once("close", lambda _: task.cancel())
    return task


async def _wait_for_answer(session: AgentSession[Any], room: rtc.Room) -> None:
    is_ringing = False

    def on_ringing() -> None:
        nonlocal is_ringing
        is_ringing = True
        session.input.set_audio_enabled(False)

    await wait_for_answer(room, on_ringing)
    if is_ringing:
        session.input.set_audio_enabled(True)
