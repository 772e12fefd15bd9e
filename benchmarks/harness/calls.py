"""Access of a simulated caller to a room of the development LiveKit server."""

from __future__ import annotations

import warnings
from datetime import timedelta

from livekit import api

from testbed.services import API_KEY, API_SECRET


def room_token(room: str, identity: str, agent_name: str = "") -> str:
    """Return a token for a room; if an agent is named, LiveKit dispatches it when the room is created."""
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_ttl(timedelta(hours=1))
    token = token.with_grants(api.VideoGrants(room_join=True, room=room))
    if agent_name:
        dispatch = api.RoomAgentDispatch(agent_name=agent_name)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the development server's secret is short
        return token.to_jwt()
