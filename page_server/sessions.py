"""A visit's way into LiveKit: a new room, and a token that is good for nothing else."""

from __future__ import annotations

import secrets
import warnings
from dataclasses import dataclass
from datetime import timedelta

from livekit import api

from page_server.settings import PageSettings

TIME_TO_JOIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Session:
    """What a browser needs to join. Its fields are those of the answer to ``POST /api/session``."""

    url: str
    token: str
    room: str
    identity: str


def new_session(settings: PageSettings) -> Session:
    room, identity = f"call-{secrets.token_hex(8)}", f"caller-{secrets.token_hex(8)}"
    token = (
        api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
        .with_identity(identity)
        .with_ttl(TIME_TO_JOIN)  # LiveKit renews the token of who has joined
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_subscribe=True,
                can_publish=True,
                can_publish_sources=["microphone"],
                can_publish_data=True,  # typed text, and choosing the strategy
            )
        )
    )
    if settings.agent_name:
        dispatch = api.RoomAgentDispatch(agent_name=settings.agent_name)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a development server's secret is short, and the operator knows
        return Session(settings.callers_livekit_url, token.to_jwt(), room, identity)
