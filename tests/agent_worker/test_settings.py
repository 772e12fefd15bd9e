from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_worker.core.settings import BadSettingsError, CloudSettings, SelfHostedSettings, load

ROOT = Path(__file__).resolve().parents[2]
LIVEKIT = {"LIVEKIT_URL": "ws://localhost:7880", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "secret"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {field.upper() for model in (CloudSettings, SelfHostedSettings) for field in model.model_fields}:
        monkeypatch.delenv(name, raising=False)


def test_all_missing_and_invalid_settings_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_BASE_URL", "not a url")
    monkeypatch.setenv("PRERESPONSE_STRATEGY", "shout")
    monkeypatch.setenv("WORKER_PORT", "99999")
    with pytest.raises(BadSettingsError) as caught:
        load(CloudSettings)
    named = {problem.split()[0] for problem in caught.value.problems}
    keys = {"GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"}
    assert named == {*LIVEKIT, *keys, "GROQ_BASE_URL", "PRERESPONSE_STRATEGY", "WORKER_PORT"}


def test_empty_value_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LIVEKIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIVEKIT_API_SECRET", "")
    with pytest.raises(BadSettingsError, match="LIVEKIT_API_SECRET is not set"):
        load(SelfHostedSettings)


def test_secrets_appear_in_no_message_and_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**LIVEKIT, "LIVEKIT_API_SECRET": "s3cret-value", "LIVEKIT_URL": "s3cret-value"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettingsError) as caught:
        load(SelfHostedSettings)
    assert "s3cret-value" not in str(caught.value)
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")
    assert "s3cret-value" not in repr(load(SelfHostedSettings))


def test_url_with_a_password_is_an_error_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**LIVEKIT, "LIVEKIT_URL": "ws://me:s3cret-value@localhost:7880"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettingsError, match="LIVEKIT_URL is wrong") as caught:
        load(SelfHostedSettings)
    assert "s3cret-value" not in str(caught.value)


@pytest.mark.parametrize("script", ["fast-preresponse.py", "fast-preresponse-ollama.py"])
def test_script_with_missing_settings_exits_with_2_and_without_a_traceback(script: str, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key not in LIVEKIT}
    run = subprocess.run(
        [sys.executable, str(ROOT / script)],
        cwd=tmp_path,
        env={**env, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert all(f"{name} is not set" in run.stderr for name in LIVEKIT)
    assert "Traceback" not in run.stderr


def test_help_lists_the_subcommands_of_livekit(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "fast-preresponse-ollama.py"), "--help"],
        cwd=tmp_path,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0
    assert all(command in run.stdout for command in ("console", "start", "dev", "connect"))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"SIP_ANSWERING_MACHINE": "leave_message"}, "needs a message: set SIP_VOICEMAIL_MESSAGE"),
        ({"SIP_VOICEMAIL_MESSAGE": "Call us."}, "never said with SIP_ANSWERING_MACHINE=hang_up"),
        (
            {"SIP_ANSWERING_MACHINE": "talk", "SIP_VOICEMAIL_MESSAGE": "Call us."},
            "never said with SIP_ANSWERING_MACHINE=talk",
        ),
    ],
)
def test_message_for_machines_and_what_is_done_with_them_have_to_agree(
    given: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**LIVEKIT, **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettingsError, match=problem):
        load(SelfHostedSettings)
    monkeypatch.setenv("SIP_ANSWERING_MACHINE", "leave_message")
    monkeypatch.setenv("SIP_VOICEMAIL_MESSAGE", "Call us.")
    assert load(SelfHostedSettings).sip_voicemail_message == "Call us."
