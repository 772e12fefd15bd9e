"""List of the generated files."""

from __future__ import annotations

from reference import configuration, env_example, metrics, topics, turn_record


def generated_files() -> dict[str, str]:
    """Return the content of each generated file by its path in the project."""
    return {
        ".env.example": env_example.render(),
        "docs/configuration.md": configuration.render(),
        "docs/metrics-reference.md": metrics.render(),
        "docs/turn-record.schema.json": turn_record.render(),
        "web/src/generated/topics.ts": topics.render(),
    }
