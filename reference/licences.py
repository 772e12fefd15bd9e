"""Licences of the packages that the worker and the page need.

    python -m reference.licences     # lists them; exits with 1 if one is not allowed

The list contains what packages declare about themselves. A wheel may bundle more: the wheel of PyAV, which
livekit-agents needs, contains FFmpeg with x264 and x265, which are under the GPL. Whoever distributes an image with it
distributes these too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: SPDX names of licences that allow any use and require at most a notice. Two differ: MPL-2.0 requires publishing
#: changes to its own files; LiveKit's model licence (end-of-turn model) is free of charge, for LiveKit Agents only.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("MPL-2.0", "PSF-2.0", "Zlib", "LicenseRef-LiveKit-Model"),
    }
)
_SPDX_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
}


def licences() -> dict[str, str]:
    """Return the declared licence of each package, empty if there is none.

    Packages that are not installed, because they are for another platform or Python version, are left out.
    """
    return dict(sorted([*_python_licences(), *_npm_licences()]))


def is_allowed(licence: str) -> bool:
    """Return whether every licence of one alternative of an SPDX expression is allowed."""
    alternatives = (re.split(r"\s+AND\s+", part.strip("() ")) for part in re.split(r"\s+OR\s+", licence))
    return any(ALLOWED.issuperset(name.strip("() ") for name in alternative) for alternative in alternatives)


def _python_licences() -> Iterator[tuple[str, str]]:
    for name in re.findall(r"^([a-z][\w.-]*)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE):
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        fields = [*(package.get_all("License-Expression") or ()), *(package.get_all("License") or ())]
        classifiers = [line for line in package.get_all("Classifier") or () if line.startswith("License ::")]
        licence = next(iter([*filter(str.strip, fields), *(line.split(" :: ")[-1] for line in classifiers)]), "")
        yield name, _SPDX_NAMES.get(licence, licence)


def _npm_licences() -> Iterator[tuple[str, str]]:
    """Yield the packages that are built into the page; build tools (``dev``) are left out."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    for path, package in locked.items():
        if path and not package.get("dev"):
            yield f"npm {path.removeprefix('node_modules/')}", package.get("license", "")


def main() -> int:
    """Print each package with its licence; return 1 if one is not allowed."""
    refused = 0
    for name, licence in licences().items():
        allowed = is_allowed(licence)
        refused += not allowed
        print(f"{name:45} {licence or 'no licence'}{'' if allowed else '   <-- not allowed'}")
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
