"""Signed room metadata, by which a worker recognises the rooms that the page server made.

A LiveKit server renews the token of each participant. Where it also creates a room for whoever joins, a visitor could
have a new room, and a new agent, after each call, past all limits of the page. The visitor cannot set the metadata of
such a room; the signature is in the room that the page server made for one call, and is of no use in a later one.
"""

from __future__ import annotations

import hashlib
import hmac
import json

METADATA_KEY = "agent_worker.page_room"
CANARY_KEY = "agent_worker.canary"
#: From the signature to the creation of the room. The clocks of page server and LiveKit server may differ as much.
_MAX_AGE_S = 60
#: No JWT, which LiveKit signs with the same secret, begins like this.
_CONTEXT = "agent-worker page room 1"


def signed_metadata(room: str, issued_at: float, secret: str, *, is_canary: bool = False) -> str:
    """Return the metadata with which the page server, or the canary, creates a room: a JSON object.

    Args:
        room: The name of the room.
        issued_at: Now, in seconds since 1970.
        secret: The LiveKit API secret, which page server and worker share.
        is_canary: Whether the call in it is the canary's.
    """
    ticket = {"issued_at": int(issued_at), "signature": _sign(room, int(issued_at), secret)}
    return json.dumps({METADATA_KEY: ticket, **({CANARY_KEY: True} if is_canary else {})})


def is_page_room(room: str, created_at: float, metadata: str, secret: str) -> bool:
    """Return whether a room is the one that the metadata was signed for.

    A room of the same name that is created later is another one. The room itself stays valid for its whole life, also
    when LiveKit moves it to another node and dispatches another agent to it.

    Args:
        room: The name of the room.
        created_at: When LiveKit created it, in seconds since 1970.
        metadata: The metadata of the room; may be anything.
        secret: The LiveKit API secret.
    """
    try:
        ticket = json.loads(metadata)[METADATA_KEY]
        issued_at, signature = ticket["issued_at"], ticket["signature"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    if type(issued_at) is not int or not isinstance(signature, str):
        return False
    is_genuine = hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(room, issued_at, secret).encode())
    return is_genuine and abs(created_at - issued_at) <= _MAX_AGE_S


def is_canary_room(metadata: str) -> bool:
    """Return whether a room is the canary's, whose calls are not counted as those of callers.

    Only who has the API secret can set the metadata of a room.
    """
    try:
        return json.loads(metadata)[CANARY_KEY] is True
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _sign(room: str, issued_at: int, secret: str) -> str:
    message = f"{_CONTEXT}\n{issued_at}\n{room}"
    return hmac.new(secret.encode(), message.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
