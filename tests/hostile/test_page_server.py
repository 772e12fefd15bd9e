"""Hostile requests to the page server: each gets a token for one new room, or a refusal with a reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from agent_worker.core.settings import load
from page_server.app import create_app
from page_server.settings import PageSettings
from tests.page_server.conftest import FakeRooms

LIVEKIT = {"LIVEKIT_URL": "ws://localhost:7880", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "s3cret-value"}
SAME_ORIGIN = [
    (b"host", b"localhost:8080"),
    (b"origin", b"http://localhost:8080"),
    (b"sec-fetch-site", b"same-origin"),
    (b"content-type", b"application/json"),
]
CODES = {"rate_limited", "wrong_origin", "not_configured", "bad_request"}
BYTES = st.binary(max_size=60)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"host", b"origin", b"sec-fetch-site", b"content-type", b"authorization", b"content-length"]),
        st.one_of(
            BYTES,
            st.sampled_from(
                [b"[", b"localhost:8080", b"http://[", b"null", b"Basic", b"Basic !!", b"Basic Og==", b"99", b"-1"]
            ),
        ),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("<!doctype html>")
    return folder


def create_test_app(folder: Path, **env: str) -> ASGIApp:
    with pytest.MonkeyPatch.context() as patch:
        for field in PageSettings.model_fields:
            patch.delenv(field.upper(), raising=False)
        for name, value in {**LIVEKIT, "PAGE_DIR": str(folder), **env}.items():
            patch.setenv(name, value)
        return create_app(load(PageSettings), FakeRooms())


def send_request(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]], *body: bytes) -> tuple[int, bytes]:
    """Call the app as uvicorn would, also with requests that no client library sends."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.1", 5),
        "server": ("localhost", 8080),
    }
    sent: list[Any] = []
    incoming = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    incoming.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        if not incoming:
            await asyncio.Event().wait()  # the client waits for the response
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@given(
    headers=HEADERS,
    same_origin=st.booleans(),
    body=st.one_of(BYTES, st.sampled_from([b"{}", b"[" * 900, b'{"room": "x"}'])),
)
@example(headers=[(b"host", b"[")], same_origin=False, body=b"{}")
@example(headers=[], same_origin=True, body=b"\xff")
@example(headers=[], same_origin=True, body=b'{"room": "another-room", "identity": "agent", "roomAdmin": true}')
def test_any_request_gets_a_token_for_a_new_room_or_a_refusal_with_a_reason(
    headers: list[tuple[bytes, bytes]], same_origin: bool, body: bytes, folder: Path
) -> None:
    status, answer = send_request(
        create_test_app(folder), "/api/session", [*(SAME_ORIGIN if same_origin else []), *headers], body
    )
    if status != 200:
        assert status in (400, 403, 413)
        assert any(code.encode() in answer for code in CODES)
        return
    session = json.loads(answer)
    claims = jwt.decode(session["token"], LIVEKIT["LIVEKIT_API_SECRET"], algorithms=["HS256"])
    assert claims["sub"].startswith("caller-")
    assert claims["video"].pop("room").startswith("call-")
    assert claims["video"] == {
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canPublishSources": ["microphone"],
    }


@given(headers=HEADERS, path=st.text(max_size=40).map(lambda text: f"/{text}"))
@example(headers=[], path="/" + "a/" * 2000)
@example(headers=[], path="/\x00")
@example(headers=[], path="/../../etc/passwd")
@example(headers=[(b"host", b"[")], path="/api/config")
def test_any_path_is_answered(headers: list[tuple[bytes, bytes]], path: str, folder: Path) -> None:
    status, _ = send_request(create_test_app(folder), path, headers)
    assert status in (200, 307, 403, 404, 405)  # 403: the request names another host, or none


@given(headers=HEADERS)
def test_no_request_passes_without_the_password(headers: list[tuple[bytes, bytes]], folder: Path) -> None:
    app = create_test_app(folder, PAGE_PASSWORD="long enough for all")
    status, _ = send_request(app, "/api/session", [*SAME_ORIGIN, *headers], b"{}")
    assert status in (401, 403, 429)


def test_an_endless_body_is_not_read_to_its_end(folder: Path) -> None:
    status, _ = send_request(create_test_app(folder), "/api/session", SAME_ORIGIN, *[b"x" * 1_000_000] * 20)
    assert status == 413
