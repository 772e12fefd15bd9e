"""Everything that the documentation names exists: links, files, commands, make targets, settings, metrics."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from reference.files import generated_files
from reference.sections import SECTIONS
from tests.files import ROOT, tracked

PAGES = [page for page in tracked("*.md") if page.name != "template.md"]
#: It names files that have since been renamed or removed.
HISTORY = {ROOT / "CHANGELOG.md"}
#: A file of livekit-agents; settings of Grafana, uvicorn, Ollama and OpenTelemetry; keys of Langfuse.
EXTERNAL_NAMES = {
    *("_speaking_rate.py", "GF_PATHS_DATA", "GF_PATHS_PROVISIONING", "FORWARDED_ALLOW_IPS"),
    *("OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_LOADED_MODELS"),
    *("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER"),
    *("PUBLIC_KEY", "SECRET_KEY"),
}


class Mention(NamedTuple):
    """A name in a page."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text}"


def mentions(pattern: str, where: re.Pattern[str] | None = None) -> Iterator[Mention]:
    """Yield what the last group of ``pattern`` matches in the pages, or in the parts of them that match ``where``."""
    for page in PAGES:
        if page in HISTORY:
            continue
        text = page.read_text(encoding="utf-8")
        for part in where.findall(text) if where else [text]:
            for match in re.finditer(pattern, part, re.MULTILINE):
                if match[match.re.groups] not in EXTERNAL_NAMES:
                    yield Mention(page, match[match.re.groups])


CODE = re.compile(r"^```.*?^```|^(?: {4}[^\n]*\n)+|`[^`\n]+`", re.DOTALL | re.MULTILINE)


@cache
def files() -> frozenset[str]:
    return frozenset(str(path.relative_to(ROOT)) for path in tracked())


@cache
def sources() -> str:
    """Return the text of all files but the pages."""
    readable = (path for path in tracked() if path.suffix in {".py", ".sh", ".yml", ".yaml", ".toml", ".ts", ""})
    return "\n".join(path.read_text(encoding="utf-8", errors="ignore") for path in readable)


def exists(name: str) -> bool:
    """Whether a file or folder exists, or is one that git ignores because it is built."""
    if any(True for _ in ROOT.glob(name.rstrip("/"))):
        return True
    command = ["git", "check-ignore", name, f"{name}/"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_link_has_a_target(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), target


def test_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    folder = ROOT / "docs"
    pages = [
        str(page.relative_to(folder)) for page in PAGES if page.is_relative_to(folder) and page.name != "README.md"
    ]
    assert not [page for page in pages if f"({page})" not in index]


def test_files_exist() -> None:
    folders = {name.split("/")[0] for name in files() if "/" in name}
    names = {Path(name).name for name in files()}

    def is_missing(text: str) -> bool:
        if "/" in text:
            return text.split("/")[0] in folders and not exists(text)
        return text.endswith((".py", ".md")) and text not in names

    named = mentions(r"(?<![\w/.$~<>*-])([\w.-]+(?:/[\w.*-]+)*/?)(?![\w/<…])", CODE)
    assert not [str(mention) for mention in named if is_missing(mention.text.rstrip("."))]


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for names in re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE) for name in names.split()}
    targets |= set(re.findall(r"^SLOW_TOOLS := (.*)", makefile, re.MULTILINE)[0].split())
    named = mentions(r"(?:^|`) *make ((?:[a-z-]+ ?)+)", CODE)
    assert not [str(mention) for mention in named if not set(mention.text.split()) <= targets]


def test_modules_exist() -> None:
    named = mentions(r"python3? -m (\w[\w.]*\w)")
    assert not [str(mention) for mention in named if importlib.util.find_spec(mention.text) is None]


def test_settings_exist() -> None:
    settings = {setting.name for section in SECTIONS for setting in section.settings}
    named = mentions(r"(?<![\w…])([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?![\w…])", CODE)
    assert not [str(mention) for mention in named if mention.text not in settings and mention.text not in sources()]


def test_metrics_exist() -> None:
    listed = set(re.findall(r"^\| `(\w+)`", generated_files()["docs/metrics-reference.md"], re.MULTILINE))
    named = mentions(r"(?<![\w:./])((?:livekit|agent_metrics)_\w*[a-z])(?![\w…:./])", CODE)
    assert not [str(mention) for mention in named if re.sub("_(bucket|sum|count)$", "", mention.text) not in listed]


def test_every_attack_in_the_security_page_has_a_test_or_cannot_be_stopped() -> None:
    table = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## Attackers and protection")[2]
    rows = re.findall(r"^\| (?!attacker|---).*$", table.partition("\n## ")[0], re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        goal, tests = row.split(" | ")[1], row.split(" | ")[-1]
        assert tests.startswith("`tests/") or goal == "dictate the answer", row
