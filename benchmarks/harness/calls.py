"""Calls of a simulated caller to a room of the development LiveKit server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from livekit import api

from caller import CallError, CallOptions, CallReport, Recording, Turn, Wav, call
from testbed.services import API_KEY, API_SECRET


async def make_call(
    url: str,
    room: str,
    clips: Sequence[str | Path | Wav],
    on_turn: Callable[[Turn], None],
    *,
    agent_name: str = "",
    recording: Recording | None = None,
    on_report: Callable[[CallReport], None] | None = None,
    **options: Any,
) -> str | None:
    """Say each clip in a turn; return why the call failed, or None.

    Args:
        url: The LiveKit server's.
        room: The room to create.
        clips: WAV files, or utterances of them.
        on_turn: Receives each turn when it has ended.
        agent_name: Agent that LiveKit dispatches; empty if one is in the room or takes every room.
        recording: Receives what the caller hears.
        on_report: Receives the report of a call that did not fail.
        options: Other options of ``caller.CallOptions``.
    """
    token = room_token(room, "caller", agent_name, phone=options.get("phone", False))
    utterances = [clip if isinstance(clip, Wav) else Wav(clip) for clip in clips]
    call_options = CallOptions(url=url, token=token, utterances=utterances, **options)
    try:
        report = await call(call_options, on_turn, recording)
    except CallError as error:
        return str(error)
    if on_report:
        on_report(report)
    return None


def room_token(room: str, identity: str, agent_name: str = "", *, phone: bool = False) -> str:
    """Return a token for a room, as LiveKit's gateway for telephones has it if ``phone`` is set.

    If an agent is named, LiveKit dispatches it when the room is created.
    """
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_ttl(timedelta(hours=1))
    if phone:
        token = token.with_kind("sip").with_attributes({"sip.callStatus": "active"})
    token = token.with_grants(api.VideoGrants(room_join=True, room_create=True, room=room))
    if agent_name:
        dispatch = api.RoomAgentDispatch(agent_name=agent_name)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the development server's secret is short
        return token.to_jwt()
