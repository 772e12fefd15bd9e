"""``agent-worker phrases`` lists, checks and translates phrases."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from agent_worker.app.phrases import main
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.providers.cloud import CLOUD
from agent_worker.text.move import SPOKEN_MOVES


def run(*arguments: str) -> int:
    return main(CLOUD, arguments, "agent-worker phrases")


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_phrase_is_listed_under_its_move(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--language", language) == 0
    listed = yaml.safe_load(capsys.readouterr().out)
    assert list(listed) == list(SPOKEN_MOVES)
    assert {phrase for of_move in listed.values() for phrase in of_move} <= set(PhraseBook.load(language).all())


def test_file_that_cannot_be_used_is_refused_with_every_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "phrases.yaml"
    file.write_text("look_up: [It is open.]\nsympathy: [Great!]\n", encoding="utf-8")
    assert run("check", str(file)) == 2
    told = capsys.readouterr().err
    assert "look_up" in told
    assert "sympathy" in told


def test_usable_file_is_checked_and_a_single_phrase_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "phrases.yaml"
    file.write_text("look_up: [Let me check.]\n", encoding="utf-8")
    assert run("check", str(file)) == 0
    assert "look_up: one phrase only" in capsys.readouterr().out


def test_old_file_is_translated_into_one_that_can_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("question: [Let me see., One moment.]\nyes_no: [Got it.]\n", encoding="utf-8")
    assert run("migrate", str(old)) == 0
    new.write_text(capsys.readouterr().out, encoding="utf-8")
    assert yaml.safe_load(new.read_text()) == {
        "look_up": ["Let me see."],
        "moment": ["One moment."],
        "word": ["Got it."],
    }
    assert run("migrate", str(new)) == 2
    assert run("check") == 2
