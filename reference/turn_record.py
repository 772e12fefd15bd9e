"""``docs/turn-record.schema.json``: JSON Schema of the turn record."""

from __future__ import annotations

import json

from pydantic import ConfigDict, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema

from agent_worker.telemetry.record import CallIdentity, TurnRecord, TurnTimestamps, Usage

# The dataclasses themselves do not depend on pydantic, so its configuration is set here.
for _dataclass in (TurnRecord, TurnTimestamps, CallIdentity, Usage):
    with_config(ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True))(_dataclass)


class _WithoutTitles(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def render() -> str:
    """Return the schema of ``TurnRecord.as_dict()`` with the fields' docstrings as descriptions."""
    schema = TypeAdapter(TurnRecord).json_schema(mode="serialization", schema_generator=_WithoutTitles)
    dialect = {"$schema": GenerateJsonSchema.schema_dialect}
    return json.dumps(dialect | schema, indent=2, ensure_ascii=False) + "\n"
