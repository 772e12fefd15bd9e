"""Whoever asks the page server for a way in: a token for one new room, or an answer that says why not."""

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
from page_server.settings import PageSettings
from page_server.web import create_app

LIVEKIT = {"LIVEKIT_URL": "ws://localhost:7880", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "s3cret-value"}
OWN = [
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


def app_with(folder: Path, **env: str) -> ASGIApp:
    with pytest.MonkeyPatch.context() as patch:
        for field in PageSettings.model_fields:
            patch.delenv(field.upper(), raising=False)
        for name, value in {**LIVEKIT, "PAGE_DIR": str(folder), **env}.items():
            patch.setenv(name, value)
        return create_app(load(PageSettings))


def ask(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]], *body: bytes) -> tuple[int, bytes]:
    """As uvicorn would, but with what no client library sends."""
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
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    coming.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        if not coming:
            await asyncio.Event().wait()  # whoever asked waits for the answer
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@given(
    headers=HEADERS, own=st.booleans(), body=st.one_of(BYTES, st.sampled_from([b"{}", b"[" * 900, b'{"room": "x"}']))
)
@example(headers=[(b"host", b"[")], own=False, body=b"{}")
@example(headers=[], own=True, body=b"\xff")
@example(headers=[], own=True, body=b'{"room": "somebody-elses", "identity": "agent", "roomAdmin": true}')
def test_anybody_gets_a_token_for_a_new_room_or_a_refusal_in_words(
    headers: list[tuple[bytes, bytes]], own: bool, body: bytes, folder: Path
) -> None:
    status, answer = ask(app_with(folder), "/api/session", [*(OWN if own else []), *headers], body)
    if status != 200:
        assert status in (400, 403, 413)
        assert any(code.encode() in answer for code in CODES)
        return
    told = json.loads(answer)
    claims = jwt.decode(told["token"], LIVEKIT["LIVEKIT_API_SECRET"], algorithms=["HS256"])
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
def test_any_address_is_answered(headers: list[tuple[bytes, bytes]], path: str, folder: Path) -> None:
    status, _ = ask(app_with(folder), path, headers)
    assert status in (200, 307, 404, 405)


@given(headers=HEADERS)
def test_nobody_comes_in_without_the_password(headers: list[tuple[bytes, bytes]], folder: Path) -> None:
    app = app_with(folder, PAGE_PASSWORD="long-enough")
    status, _ = ask(app, "/api/session", [*OWN, *headers], b"{}")
    assert status in (401, 429)


def test_body_without_end_is_not_read_to_its_end(folder: Path) -> None:
    status, _ = ask(app_with(folder), "/api/session", OWN, *[b"x" * 1_000_000] * 20)
    assert status == 413
