import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from livekit import api

from testbed.processes import free_port
from tests.caller.conftest import LiveKitServer
from tests.caller.peer import Peer


async def _run(*arguments: str | Path, **env: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await _start(*arguments, **env)
    out, err = await process.communicate()
    assert "Traceback" not in err.decode()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def _start(*arguments: str | Path, **env: str) -> asyncio.subprocess.Process:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LIVEKIT_", "CALLER_", "OPENAI_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "caller", *map(str, arguments)),
        env=clean | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=None if sys.platform == "win32" else _heed_interrupts,
    )


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so would all that the tests start from there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _env(server: LiveKitServer) -> dict[str, str]:
    return {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": server.api_secret,
    }


async def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("no sound in here")
    code, _, err = await _run(
        *("--wav", tmp_path / "missing.wav", "--wav", text, "--text", " ", "--quiet", "-1"),
        *("--json", tmp_path / "nowhere" / "out.json", "--record", tmp_path / "nowhere" / "a.wav"),
    )
    assert code == 2
    lines = err.splitlines()
    for part in (
        *("missing.wav: no such file", "notes.wav: is no WAV", "--text is empty", "--quiet is negative"),
        *("no server", "no room", "no credentials", "out.json: cannot be written", "a.wav: cannot be written"),
    ):
        assert len([line for line in lines if part in line]) == 1, (part, lines)
    assert len(lines) == 9


async def test_nothing_to_say() -> None:
    code, _, err = await _run("--url", "ws://localhost:1", "--room", "r", "--token", "t")
    assert (code, err.count("\n")) == (2, 1)
    assert "nothing to say" in err


async def test_speech_endpoint_that_does_not_answer(hello_wav: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/v1"
    code, _, err = await _run("--token", "t", "--url", "ws://localhost:1", "--text", "Hi", "--speech-url", endpoint)
    assert (code, err.count("\n")) == (2, 1)
    assert "does not answer" in err


async def test_unreachable_server(hello_wav: Path) -> None:
    url = "ws://127.0.0.1:1"  # nobody's port, even while other tests open theirs
    code, _, err = await _run("--token", "t", "--url", url, "--wav", hello_wav)
    assert (code, err.count("\n")) == (3, 1)
    assert "connection refused" in err


async def test_server_that_accepts_and_is_silent(hello_wav: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        code, _, err = await _run("--token", "t", "--url", url, "--wav", hello_wav, "--connect-timeout", "1")
    assert (code, err.count("\n")) == (3, 1)
    assert "no answer within 1 s" in err or "could not be reached" in err


async def test_wrong_secret(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    env = _env(livekit_server) | {"LIVEKIT_API_SECRET": "sesame-open"}
    code, _, err = await _run("--room", "r", "--wav", hello_wav, **env)
    assert (code, err.count("\n")) == (3, 1)
    assert "LIVEKIT_API_SECRET" in err
    assert "sesame" not in err
    assert "eyJ" not in err  # how every token begins


async def test_unknown_key(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    env = _env(livekit_server) | {"LIVEKIT_API_KEY": "nokey"}
    code, _, err = await _run("--room", "r", "--wav", hello_wav, **env)
    assert (code, err.count("\n")) == (3, 1)
    assert "does not know this API key" in err


async def test_expired_token(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    grants = api.VideoGrants(room_join=True, room="r")
    token = api.AccessToken(livekit_server.api_key, livekit_server.api_secret).with_identity("late")
    expired = token.with_grants(grants).with_ttl(timedelta(hours=-1)).to_jwt()
    code, _, err = await _run("--token", expired, "--wav", hello_wav, "--url", livekit_server.url)
    assert (code, err.count("\n")) == (3, 1)
    assert "expired" in err
    assert expired not in err


async def test_no_agent(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    arguments = ("--room", uuid4().hex, "--wav", hello_wav, "--agent-timeout", "1")
    code, _, err = await _run(*arguments, **_env(livekit_server))
    assert (code, err.count("\n")) == (4, 1)


async def test_silent_agent(livekit_server: LiveKitServer, hello_wav: Path, tmp_path: Path) -> None:
    room = uuid4().hex
    async with Peer(reply_after=None).joined(livekit_server, room):
        code, out, err = await _run(
            *("--room", room, "--wav", hello_wav, "--wav", hello_wav, "--json", tmp_path / "out.json"),
            *("--reply-timeout", "1.5", "--greeting-wait", "0.2"),
            **_env(livekit_server),
        )
    assert (code, err.count("\n"), out.count("no reply heard")) == (1, 1, 2)
    assert "turn 1, 2" in err
    assert json.loads((tmp_path / "out.json").read_text())["turns"][1]["first_heard"] is None


@contextlib.contextmanager
def _speech_endpoint(wav: Path) -> Iterator[str]:
    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(wav.read_bytes())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_whole_call(livekit_server: LiveKitServer, hello_wav: Path, tmp_path: Path) -> None:
    room, files = uuid4().hex, [tmp_path / name for name in ("out.json", "agent.wav", "caller.wav")]
    with _speech_endpoint(hello_wav) as speech:
        async with Peer(transcripts=True).joined(livekit_server, room):
            code, out, err = await _run(
                *("--room", room, "--wav", hello_wav, "--text", "Hello?", "--speech-url", speech),
                *("--json", files[0], "--record", files[1], "--record-caller", files[2]),
                *("--topic", "test.extra", "--greeting-wait", "0.2"),
                **_env(livekit_server),
            )
    assert (code, err) == (0, "")
    assert out.count("\n") == 2
    assert "understood 'Hello.'; answered 'Good day.'" in out
    report = json.loads(files[0].read_text())
    assert [turn["said"] for turn in report["turns"]] == ["hello.wav", "Hello?"]
    assert report["texts"][0]["text"] == "beside"
    with wave.open(str(files[1])) as file:
        assert file.getnframes() / 48_000 >= report["turns"][-1]["heard"][-1]["end"] - 0.1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
async def test_interrupt_leaves_the_room(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    room, left = uuid4().hex, asyncio.Event()
    async with Peer(reply_after=None).joined(livekit_server, room) as peer:
        peer.room.on("participant_disconnected", lambda _: left.set())
        process = await _start("--room", room, "--wav", hello_wav, **_env(livekit_server))
        while not peer.room.remote_participants:
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        await asyncio.wait_for(left.wait(), 10)
    assert (process.returncode, err.decode()) == (130, "caller: interrupted, left the room\n")
