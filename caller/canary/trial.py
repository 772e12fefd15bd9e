"""One call of the canary, and its judgement."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from livekit import api

from caller.call import call
from caller.canary.room import Rooms, canary_room
from caller.canary.settings import CanarySettings
from caller.errors import InputError, NoAgentError, RoomError
from caller.options import CallOptions, Wav
from caller.report import CallReport
from caller.timeouts import wait_for

Outcome = Literal["answered", "silent", "no_agent", "no_room"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

#: The longest greeting and the longest reply that are listened to.
_MAX_SPEECH_S = 30.0
#: A call that lasts longer has failed, whatever it waits for.
MAX_CALL_S = 150.0

Call = Callable[[CallOptions], Awaitable[CallReport]]


@dataclass(frozen=True)
class Trial:
    """What became of a call.

    Attributes:
        outcome: ``answered``: the agent was heard in time after the question. ``silent``: it was not. ``no_agent``:
            none came. ``no_room``: LiveKit let the caller into no room, or lost it.
        answer_s: From the end of the question to the agent's first sound.
        detail: Why it failed, in words.
    """

    outcome: Outcome
    answer_s: float | None = None
    detail: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the agent answered."""
        return self.outcome == "answered"


async def try_call(settings: CanarySettings, *, place: Call = call, max_call_s: float = MAX_CALL_S) -> Trial:
    """Call the agent once.

    Raises:
        InputError: If the question cannot be played.
    """
    secret = settings.livekit_api_secret.get_secret_value()
    async with api.LiveKitAPI(str(settings.livekit_url), settings.livekit_api_key, secret) as livekit:
        return await judged(livekit.room, settings, place, max_call_s)


async def judged(rooms: Rooms, settings: CanarySettings, place: Call, max_call_s: float) -> Trial:
    """Call the agent once, in a room of its own."""
    options = options_of(settings, f"canary-{uuid.uuid4().hex[:12]}")
    try:
        async with canary_room(rooms, options.room, settings):
            report = await wait_for(place(options), max_call_s)
    except InputError:
        raise
    except NoAgentError:
        return Trial("no_agent", detail=f"no agent came within {settings.canary_agent_timeout:g} s")
    except RoomError as error:
        return Trial("no_room", detail=str(error))
    except asyncio.TimeoutError:
        return Trial("silent", detail=f"the call was not over after {max_call_s:g} s")
    gap = report.turns[0].response_gap
    if gap is None:
        return Trial("silent", detail=f"no sound of the agent within {settings.canary_answer_timeout:g} s")
    return Trial("answered", gap)


def options_of(settings: CanarySettings, room: str) -> CallOptions:
    """Return the options of the call in a room."""
    return CallOptions(
        utterances=[Wav(settings.question)],
        room=room,
        url=str(settings.livekit_url),
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        identity=room,
        agent_timeout=settings.canary_agent_timeout,
        reply_timeout=settings.canary_answer_timeout,
        turn_timeout=_MAX_SPEECH_S,
    )
