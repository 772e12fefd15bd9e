"""List of the generated pages."""

from __future__ import annotations

from reference import configuration, env_example, metrics, topics, turn_record


def pages() -> dict[str, str]:
    """Return the text of each generated file by its path in the project."""
    return {
        ".env.example": env_example.text(),
        "docs/configuration.md": configuration.text(),
        "docs/metrics-reference.md": metrics.text(),
        "docs/turn-record.schema.json": turn_record.text(),
        "web/src/generated/topics.ts": topics.text(),
    }
