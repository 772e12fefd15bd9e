"""What the documentation names is there: links, files, commands, make targets, settings, metrics."""

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
#: What changed once may be gone by now; the other names files that it does not own.
HISTORY = {ROOT / "CHANGELOG.md"}
#: A file of livekit-agents; settings of Grafana, uvicorn and Ollama.
OF_OTHERS = {
    *("_speaking_rate.py", "GF_PATHS_DATA", "GF_PATHS_PROVISIONING", "FORWARDED_ALLOW_IPS"),
    *("OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_LOADED_MODELS"),
}


class Place(NamedTuple):
    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text}"


def found(pattern: str, where: re.Pattern[str] | None = None) -> Iterator[Place]:
    """What the pattern finds in the pages (its last group), or only in the parts of them that ``where`` finds."""
    for page in PAGES:
        if page in HISTORY:
            continue
        text = page.read_text(encoding="utf-8")
        for part in where.findall(text) if where else [text]:
            for match in re.finditer(pattern, part, re.MULTILINE):
                if match[match.re.groups] not in OF_OTHERS:
                    yield Place(page, match[match.re.groups])


CODE = re.compile(r"^```.*?^```|^(?: {4}[^\n]*\n)+|`[^`\n]+`", re.DOTALL | re.MULTILINE)


@cache
def files() -> frozenset[str]:
    return frozenset(str(path.relative_to(ROOT)) for path in tracked())


@cache
def sources() -> str:
    """Everything but the pages."""
    readable = (path for path in tracked() if path.suffix in {".py", ".sh", ".yml", ".yaml", ".toml", ".ts", ""})
    return "\n".join(path.read_text(encoding="utf-8", errors="ignore") for path in readable)


def is_there(name: str) -> bool:
    """Whether there is such a file or folder, or something that is built in its place."""
    if any(True for _ in ROOT.glob(name.rstrip("/"))):
        return True
    command = ["git", "check-ignore", name, f"{name}/"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
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


def test_files_are_there() -> None:
    folders = {name.split("/")[0] for name in files() if "/" in name}
    names = {Path(name).name for name in files()}

    def is_missing(text: str) -> bool:
        if "/" in text:
            return text.split("/")[0] in folders and not is_there(text)
        return text.endswith((".py", ".md")) and text not in names

    named = found(r"(?<![\w/.$~<>*-])([\w.-]+(?:/[\w.*-]+)*/?)(?![\w/<…])", CODE)
    assert not [str(place) for place in named if is_missing(place.text.rstrip("."))]


def test_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for names in re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE) for name in names.split()}
    targets |= set(re.findall(r"^SLOW_TOOLS := (.*)", makefile, re.MULTILINE)[0].split())
    named = found(r"(?:^|`) *make ((?:[a-z-]+ ?)+)", CODE)
    assert not [str(place) for place in named if not set(place.text.split()) <= targets]


def test_modules_are_there() -> None:
    named = found(r"python3? -m (\w[\w.]*\w)")
    assert not [str(place) for place in named if importlib.util.find_spec(place.text) is None]


def test_settings_are_there() -> None:
    settings = {setting.name for section in SECTIONS for setting in section.settings}
    named = found(r"(?<![\w…])([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?![\w…])", CODE)
    assert not [str(place) for place in named if place.text not in settings and place.text not in sources()]


def test_metrics_are_there() -> None:
    listed = set(re.findall(r"^\| `(\w+)`", generated_files()["docs/metrics-reference.md"], re.MULTILINE))
    named = found(r"(?<![\w:./])((?:livekit|agent_metrics)_\w*[a-z])(?![\w…:./])", CODE)
    assert not [str(place) for place in named if re.sub("_(bucket|sum|count)$", "", place.text) not in listed]
