"""Which pages are generated?"""

from __future__ import annotations

from reference import configuration, env_example, metrics


def pages() -> dict[str, str]:
    """The text of each page as the code wants it, by its path in the project."""
    return {
        ".env.example": env_example.text(),
        "docs/configuration.md": configuration.text(),
        "docs/metrics-reference.md": metrics.text(),
    }
