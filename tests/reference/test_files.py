from __future__ import annotations

import importlib
import inspect
import os
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from agent_worker.core.settings import CloudSettings, SelfHostedSettings, load
from reference.files import generated_files
from reference.sections import SECTIONS, Setting
from tests.files import tracked

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [setting for section in SECTIONS for setting in section.settings]


@pytest.mark.parametrize("name", generated_files())
def test_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generated_files()[name], "run `make reference`"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_setting_has_a_description(setting: Setting) -> None:
    assert setting.description, "give the field a description"


def test_every_class_of_settings_is_listed_in_a_section() -> None:
    listed = {settings_type for section in SECTIONS for settings_type in section.classes}
    for path in tracked("*.py", ":!examples/", ":!benchmarks/"):
        if re.search(r"^class \w+\([\w, ]*(Settings|FromEnvironment)\b", path.read_text(), re.MULTILINE):
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for kind in vars(module).values():
                if isinstance(kind, type) and issubclass(kind, BaseSettings):
                    own = inspect.get_annotations(kind).keys() & kind.model_fields.keys()
                    assert kind in listed or not own, f"{kind.__name__}: add it to reference/sections.py"


@pytest.mark.parametrize("settings_type", [CloudSettings, SelfHostedSettings])
def test_defaults_in_env_example_are_the_defaults_in_the_code(
    settings_type: type[CloudSettings | SelfHostedSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower() in settings_type.model_fields]:
        monkeypatch.delenv(name)
    for setting in SETTINGS:
        if setting.default is None:
            monkeypatch.setenv(setting.name, setting.example or "a key")
    before = load(settings_type)
    for name, value in re.findall(r"^# ([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE):
        monkeypatch.setenv(name, value)
    assert load(settings_type) == before
