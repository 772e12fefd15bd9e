/** The lines of the conversation, from what the room sends while it is spoken and from the turn records after it. */

import type { TurnRecord } from "./generated/turn-record";

export interface Line {
  id: number;
  who: "caller" | "agent";
  /** Of the agent: what it said at once. */
  preresponse: string;
  /** Of the caller: all of it. Of the agent: the answer. */
  text: string;
  final: boolean;
  typed: boolean;
  interrupted: boolean;
}

export interface Segment {
  who: "caller" | "agent";
  id: string;
  text: string;
  final: boolean;
}

/** A caller's words and the reply to them. */
interface Exchange {
  id: number;
  typed: boolean;
  caller: Map<string, Segment>;
  preresponse: string;
  agent: Map<string, Segment>;
  record: TurnRecord | null;
}

/**
 * Segments of the same exchange are joined: one utterance may be several, and so may a reply. What the caller says after
 * the reply has begun belongs to the next exchange. The record of the turn has the last word on the agent's words: it
 * knows how far they were spoken.
 */
export class Transcript {
  private exchanges: Exchange[] = [];
  private where = new Map<string, Exchange>();

  get lines(): Line[] {
    return this.exchanges.flatMap(linesOf);
  }

  typed(text: string): void {
    const exchange = this.open("caller");
    exchange.typed = true;
    exchange.caller.set(`typed-${exchange.caller.size}`, { who: "caller", id: "typed", text, final: true });
  }

  segment(segment: Segment): void {
    const key = `${segment.who} ${segment.id}`;
    const exchange = this.where.get(key) ?? this.open(segment.who);
    this.where.set(key, exchange);
    exchange[segment.who].set(segment.id, segment);
  }

  preresponse(text: string): void {
    this.open("agent").preresponse = text;
  }

  record(record: TurnRecord): void {
    if (!record.preresponse && !record.answer) return; // the caller spoke on: the reply belongs to a later record
    const waiting = this.exchanges.filter((exchange) => !exchange.record);
    const exchange = waiting.find((one) => one.agent.size || one.preresponse) ?? waiting[0] ?? this.add();
    exchange.record = record;
    if (record.caller && !exchange.caller.size)
      exchange.caller.set("record", { who: "caller", id: "record", text: record.caller, final: true });
  }

  private open(who: "caller" | "agent"): Exchange {
    const last = this.exchanges.at(-1);
    if (!last || last.record) return this.add();
    return who === "caller" && (last.agent.size || last.preresponse) ? this.add() : last;
  }

  private add(): Exchange {
    const id = this.exchanges.length;
    const none = { typed: false, preresponse: "", record: null };
    const exchange = { id, caller: new Map(), agent: new Map(), ...none };
    this.exchanges.push(exchange);
    return exchange;
  }
}

function linesOf(exchange: Exchange): Line[] {
  const { id, record, typed } = exchange;
  const lines: Line[] = [];
  const caller = joined(exchange.caller);
  if (caller) {
    const final = [...exchange.caller.values()].every((segment) => segment.final);
    lines.push({ id: 2 * id, who: "caller", preresponse: "", text: caller, final, typed, interrupted: false });
  }
  const spoken = record
    ? { preresponse: record.preresponse ?? "", text: record.answer }
    : split(joined(exchange.agent), exchange.preresponse);
  if (spoken.preresponse || spoken.text) {
    const interrupted = record?.interrupted ?? false;
    lines.push({ id: 2 * id + 1, who: "agent", ...spoken, final: record !== null, typed: false, interrupted });
  }
  return lines;
}

function joined(segments: ReadonlyMap<string, Segment>): string {
  return [...segments.values()]
    .map((segment) => segment.text.trim())
    .filter(Boolean)
    .join(" ");
}

/** The transcript of a reply begins with the pre-response, which is announced before the first word of it comes. */
function split(text: string, preresponse: string): { preresponse: string; text: string } {
  if (!preresponse || preresponse.startsWith(text))
    return preresponse ? { preresponse, text: "" } : { preresponse, text };
  return text.startsWith(preresponse)
    ? { preresponse, text: text.slice(preresponse.length).trim() }
    : { preresponse, text };
}
