"""New sessions: a LiveKit room for one call, and a token that is valid for this room only."""

from __future__ import annotations

import secrets
import warnings
from dataclasses import dataclass
from datetime import timedelta

from livekit import api

from page_server.settings import PageSettings

_TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Session:
    """What a browser needs to join a room: the JSON response of ``POST /api/session``."""

    url: str
    token: str
    room: str
    identity: str


def new_room_name() -> str:
    """Return a room name that cannot be guessed."""
    return f"call-{secrets.token_hex(8)}"


def create_session(settings: PageSettings, room: str) -> Session:
    """Return a session in a room, which has to be created through LiveKit's API.

    The token allows to join this room while it exists, to publish a microphone's audio and data, and to subscribe. It
    has no room configuration: LiveKit renews the tokens of participants as they are, and a token with one could bring
    a room, and an agent, after the end of the call.
    """
    identity = f"caller-{secrets.token_hex(8)}"
    token = (
        api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
        .with_identity(identity)
        .with_ttl(_TOKEN_LIFETIME)  # to join; LiveKit renews the token of a participant that has joined
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_subscribe=True,
                can_publish=True,
                can_publish_sources=["microphone"],
                can_publish_data=True,  # text input, and the choice of the strategy
            )
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyJWT warns of short secrets, as development servers have
        return Session(settings.browser_livekit_url, token.to_jwt(), room, identity)
