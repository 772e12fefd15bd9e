/** Parsers for the messages that the worker sends to the room (docs/turns.md). */

import { TURN_RECORD_SCHEMA, type TurnRecord } from "./generated/turn-record";

export interface Preresponse {
  text: string;
  source: string;
}

/** A listener's sound of the agent, which is no reply. */
export interface Backchannel {
  text: string;
  seconds: number;
}

type Json = Record<string, unknown>;

/** The parts of JSON Schema that pydantic uses for the turn record. */
interface Schema {
  type?: string;
  $ref?: string;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
}

const DEFINITIONS: Record<string, Schema> = TURN_RECORD_SCHEMA.$defs;
const EMPTY: Json = { string: "", number: 0, integer: 0, boolean: false };

/**
 * Parse a turn record; return `null` if the text is none, as another program may use the topic.
 *
 * Fields of a newer worker are dropped. Fields that an older worker does not send are `null` or empty.
 */
export function parseTurn(text: string): TurnRecord | null {
  const json = parseObject(text);
  return typeof json?.turn === "number" ? (conform(json, TURN_RECORD_SCHEMA) as TurnRecord) : null;
}

export function parsePreresponse(text: string): Preresponse | null {
  const json = parseObject(text);
  if (typeof json?.text !== "string" || !json.text) return null;
  return { text: json.text, source: typeof json.source === "string" ? json.source : "" };
}

export function parseBackchannel(text: string): Backchannel | null {
  const json = parseObject(text);
  if (typeof json?.text !== "string" || typeof json.seconds !== "number") return null;
  return { text: json.text, seconds: json.seconds };
}

/** Return the part of `value` that the schema describes, with `null` or an empty value where the type differs. */
function conform(value: unknown, schema: Schema): unknown {
  const known = resolve(schema);
  if (known.anyOf) {
    const [type] = known.anyOf.map(resolve).filter((option) => option.type !== "null");
    return type && hasType(value, type) ? conform(value, type) : null;
  }
  if (!known.properties) return hasType(value, known) ? value : EMPTY[known.type ?? ""];
  const json = asObject(value) ?? {};
  return Object.fromEntries(
    Object.entries(known.properties).map(([name, field]) => [name, conform(json[name], field)]),
  );
}

function resolve(schema: Schema): Schema {
  return (schema.$ref && DEFINITIONS[schema.$ref.replace("#/$defs/", "")]) || schema;
}

function hasType(value: unknown, { type }: Schema): boolean {
  if (type === "object") return asObject(value) !== null;
  return type === "integer" || type === "number" ? Number.isFinite(value) : typeof value === type;
}

function parseObject(text: string): Json | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}
