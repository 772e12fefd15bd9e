"""Under which licences is what the worker and the page need?

    python -m reference.licences     # lists them; exits with 1 if one is not allowed here

It goes by what packages say of themselves. A wheel may bundle more: that of PyAV, which livekit-agents needs, brings
FFmpeg with x264 and x265, which are under the GPL. Who passes an image on with it in passes these on too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: SPDX names. Their code may be used for any purpose, with a notice at most; MPL-2.0 asks that changes to its own files
#: be published. LiveKit's model licence is the end-of-turn model's: free of charge, and for LiveKit Agents only.
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
    """The licence of each package; empty if it does not tell. Those that are not for this Python are left out."""
    return dict(sorted([*_of_python_packages(), *_of_npm_packages()]))


def is_allowed(licence: str) -> bool:
    choices = (re.split(r"\s+AND\s+", choice.strip("() ")) for choice in re.split(r"\s+OR\s+", licence))
    return any(ALLOWED.issuperset(part.strip("() ") for part in choice) for choice in choices)


def _of_python_packages() -> Iterator[tuple[str, str]]:
    for name in re.findall(r"^([a-z][\w.-]*)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE):
        try:
            told = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        fields = [*(told.get_all("License-Expression") or ()), *(told.get_all("License") or ())]
        classifiers = [line for line in told.get_all("Classifier") or () if line.startswith("License ::")]
        licence = next(iter([*filter(str.strip, fields), *(line.split(" :: ")[-1] for line in classifiers)]), "")
        yield name, _SPDX_NAMES.get(licence, licence)


def _of_npm_packages() -> Iterator[tuple[str, str]]:
    """Of what is built into the page, not of what builds it."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    for path, package in locked.items():
        if path and not package.get("dev"):
            yield f"npm {path.removeprefix('node_modules/')}", package.get("license", "")


def main() -> int:
    refused = 0
    for name, licence in licences().items():
        allowed = is_allowed(licence)
        refused += not allowed
        print(f"{name:45} {licence or 'no licence'}{'' if allowed else '   <-- not allowed'}")
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
