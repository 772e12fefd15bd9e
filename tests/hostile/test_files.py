"""Any file of phrases or prices, and any settings: used, or refused with a message; never another exception."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_worker.core.settings import BadSettingsError, CloudSettings, SelfHostedSettings, load
from agent_worker.core.user_file import BadFileError
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.telemetry.pricing import Prices
from page_server.settings import PageSettings

SECRET = "s3cret-value"
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=100), st.sampled_from(["Let me see.", "No"])
)
_KEYS = st.sampled_from(
    ["question", "problem", "look_up", "sympathy", "llm", "tts", "*", "prompt", "completion", "x", ""]
)
_SHAPES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)


def use_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for load_file in (lambda: PhraseBook.load("en", path), lambda: Prices.load(path)):
        error: BadFileError | None = None
        try:
            load_file()
        except BadFileError as refusal:
            error = refusal
        assert error is None or (error.problems and len(str(error)) < 20_000)


@given(shape=_SHAPES)
def test_file_of_any_shape_is_used_or_refused_with_a_message(shape: Any, tmp_path: Path) -> None:
    use_or_refuse(tmp_path / "file.yaml", yaml.safe_dump(shape, allow_unicode=True).encode())


@given(content=st.binary(max_size=200))
@example(content=b"[" * 600)
@example(content=b"question: 2001-13-45")
@example(content=b"question: 0b_")
@example(content=b"question: !!int x")
@example(content=b"question: !!timestamp x")
@example(content=b"question: &a [*a]")
@example(content=b"llm: &a {x: *a}")
@example(content=b"question: [{<<: 1}]")
@example(content=(_BOMB + "question: [*a11]\n").encode())
@example(content=(_BOMB + "llm: *a11\n").encode())
@example(content=b"question:\n- " + b"x" * 50_000)
@example(content=b"question: !!python/object/apply:os.system [exit]")
def test_file_of_any_bytes_is_used_or_refused_with_a_message(content: bytes, tmp_path: Path) -> None:
    use_or_refuse(tmp_path / "file.yaml", content)


_NUMBERS = st.one_of(st.floats().map(str), st.integers().map(str), st.just("9" * 400), st.just("1e400"))
_VALUES = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60),
    st.binary(max_size=20).filter(lambda value: b"\0" not in value).map(os.fsdecode),
    _NUMBERS,
    st.sampled_from(
        ["true", "[]", "{}", "null", "ws://[", "http://a b", "ws://x:99999", "x" * 5000, f"ws://a:{SECRET}@b"]
    ),
)


def check_settings(settings_type: type[CloudSettings]) -> None:
    try:
        shown = repr(load(settings_type)).replace(f"livekit_api_key='{SECRET}'", "")
    except BadSettingsError as error:
        shown = str(error)
        assert shown
    assert SECRET not in shown


_PATHS = st.one_of(st.sampled_from(["x" * 5000, "/", ".", "/dev/null"]), st.text("/.~ü\n", min_size=1, max_size=9))


@pytest.mark.parametrize("settings_type", [CloudSettings, SelfHostedSettings, PageSettings])
@settings(max_examples=20)
@given(data=st.data())
def test_any_environment_gives_settings_or_an_error_without_secrets(
    settings_type: type[CloudSettings], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(settings_type.model_fields)), unique=True, max_size=6))
    values = {name: data.draw(_VALUES if name != "page_dir" else _PATHS) for name in names}
    with pytest.MonkeyPatch.context() as patch:
        for field in settings_type.model_fields:
            patch.delenv(field.upper(), raising=False)
        for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "GROQ_API_KEY", "PAGE_PASSWORD", "OPENAI_API_KEY"):
            patch.setenv(name, SECRET)
        for name, value in values.items():
            patch.setenv(name.upper(), value)
        check_settings(settings_type)


@pytest.mark.parametrize("value", ["inf", "nan", "1e308", "9" * 400, "-1", "0"])
@pytest.mark.parametrize("name", ["ANSWER_TIMEOUT", "ANSWER_MAX_TOKENS", "WORKER_MAX_CALLS", "WORKER_DRAIN_TIMEOUT"])
def test_number_out_of_range_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for known, some in (("LIVEKIT_URL", "ws://x"), ("LIVEKIT_API_KEY", "x"), ("LIVEKIT_API_SECRET", "x")):
        monkeypatch.setenv(known, some)
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettingsError, match=f"^{name} is wrong"):
        load(SelfHostedSettings)
