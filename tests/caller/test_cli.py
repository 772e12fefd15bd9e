"""The command line: exit codes, messages, files."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from livekit import api

from caller.__main__ import main
from testbed.processes import free_port
from testbed.services import API_KEY, API_SECRET, Ports, livekit_env
from tests.caller.scripted_agent import ScriptedAgent

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; returns its exit code and what it wrote to stderr."""
    for name in [name for name in os.environ if name.startswith(("LIVEKIT_", "CALLER_", "OPENAI_"))]:
        monkeypatch.delenv(name)

    def run(*arguments: str | Path, **env: str) -> tuple[int, str]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().err

    return run


async def _start(*arguments: str | Path, **env: str) -> asyncio.subprocess.Process:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LIVEKIT_", "CALLER_", "OPENAI_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "caller", *map(str, arguments)),
        env=clean | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=None if sys.platform == "win32" else _restore_sigint,
    )


def _restore_sigint() -> None:
    """A shell starts background processes with SIGINT ignored, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_all_problems_are_listed_at_once(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("no sound in here")
    code, err = run(
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


def test_call_without_utterances_is_refused(run: Run) -> None:
    code, err = run("--url", "ws://localhost:1", "--room", "r", "--token", "t")
    assert (code, err.count("\n")) == (2, 1)
    assert "nothing to say" in err


def test_speech_endpoint_that_does_not_answer(run: Run) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/v1"
    code, err = run("--token", "t", "--url", "ws://localhost:1", "--text", "Hi", "--speech-url", endpoint)
    assert (code, err.count("\n")) == (2, 1)
    assert "does not answer" in err


def test_unreachable_server(run: Run, hello_wav: Path) -> None:
    url = "ws://127.0.0.1:1"  # no test listens on a port as low
    code, err = run("--token", "t", "--url", url, "--wav", hello_wav)
    assert (code, err.count("\n")) == (3, 1)
    assert "connection refused" in err


def test_server_that_accepts_and_is_silent(run: Run, hello_wav: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        code, err = run("--token", "t", "--url", url, "--wav", hello_wav, "--connect-timeout", "0.5")
    assert (code, err.count("\n")) == (3, 1)
    assert "no answer within 0.5 s" in err or "could not be reached" in err


def test_wrong_secret(run: Run, livekit: Ports, hello_wav: Path) -> None:
    env = livekit_env(livekit) | {"LIVEKIT_API_SECRET": "sesame-open"}
    code, err = run("--room", "r", "--wav", hello_wav, **env)
    assert (code, err.count("\n")) == (3, 1)
    assert "LIVEKIT_API_SECRET" in err
    assert "sesame" not in err
    assert "eyJ" not in err  # how every token begins


def test_unknown_key(run: Run, livekit: Ports, hello_wav: Path) -> None:
    env = livekit_env(livekit) | {"LIVEKIT_API_KEY": "nokey"}
    code, err = run("--room", "r", "--wav", hello_wav, **env)
    assert (code, err.count("\n")) == (3, 1)
    assert "does not know this API key" in err


def test_expired_token(run: Run, livekit: Ports, hello_wav: Path) -> None:
    token = api.AccessToken(API_KEY, API_SECRET).with_identity("late")
    grants = api.VideoGrants(room_join=True, room="r")
    expired = token.with_grants(grants).with_ttl(timedelta(hours=-1)).to_jwt()
    code, err = run("--token", expired, "--wav", hello_wav, "--url", livekit.livekit_url)
    assert (code, err.count("\n")) == (3, 1)
    assert "expired" in err
    assert expired not in err


def test_room_without_agent(run: Run, livekit: Ports, hello_wav: Path) -> None:
    arguments = ("--room", uuid4().hex, "--wav", hello_wav, "--agent-timeout", "0.5")
    code, err = run(*arguments, **livekit_env(livekit))
    assert (code, err.count("\n")) == (4, 1)


async def test_agent_that_never_replies(livekit: Ports, hello_wav: Path, tmp_path: Path) -> None:
    room = uuid4().hex
    async with ScriptedAgent(reply_after_s=None).joined(livekit, room):
        process = await _start(
            *("--room", room, "--wav", hello_wav, "--wav", hello_wav, "--json", tmp_path / "out.json"),
            *("--reply-timeout", "1", "--greeting-wait", "0.2"),
            **livekit_env(livekit),
        )
        out, err = await process.communicate()
    assert process.returncode == 1
    assert out.count(b"no reply heard") == 2
    assert err == b"caller: no audible reply in turn 1, 2\n"
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


async def test_whole_call(livekit: Ports, hello_wav: Path, tmp_path: Path) -> None:
    room, files = uuid4().hex, [tmp_path / name for name in ("out.json", "agent.wav", "caller.wav")]
    with _speech_endpoint(hello_wav) as speech:
        async with ScriptedAgent(transcripts=True).joined(livekit, room):
            process = await _start(
                *("--room", room, "--wav", hello_wav, "--text", "Hello?", "--speech-url", speech),
                *("--json", files[0], "--record", files[1], "--record-caller", files[2]),
                *("--topic", "test.extra", "--greeting-wait", "0.2"),
                **livekit_env(livekit),
            )
            out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.count(b"\n") == 2
    assert b"understood 'Hello.'; answered 'Good day.'" in out
    report = json.loads(files[0].read_text())
    assert [turn["said"] for turn in report["turns"]] == ["hello.wav", "Hello?"]
    assert report["texts"][0]["text"] == "beside"
    with wave.open(str(files[1])) as file:
        assert file.getnframes() / 48_000 >= report["turns"][-1]["heard"][-1]["end"] - 0.1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
async def test_interrupt_leaves_the_room(livekit: Ports, hello_wav: Path) -> None:
    room, joined, left = uuid4().hex, asyncio.Event(), asyncio.Event()
    async with ScriptedAgent(reply_after_s=None).joined(livekit, room) as agent:
        agent.room.on("participant_connected", lambda _: joined.set())
        agent.room.on("participant_disconnected", lambda _: left.set())
        process = await _start("--room", room, "--wav", hello_wav, **livekit_env(livekit))
        await joined.wait()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        await left.wait()
    assert (process.returncode, err.decode()) == (130, "caller: interrupted, left the room\n")
