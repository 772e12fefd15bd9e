/** Lines of the conversation, from live transcription segments and, after each turn, its record. */

import type { TurnRecord } from "./generated/turn-record";
import { isUnfinished } from "./turn-groups";

export interface Line {
  id: number;
  who: "caller" | "agent";
  /** The agent's pre-response. */
  preresponse: string;
  /** The caller's words, or the agent's answer. */
  text: string;
  final: boolean;
  typed: boolean;
  /** `continued`: the caller had not finished (`isUnfinished`). */
  cut: "" | "interrupted" | "continued";
  /** Whether the caller continues the previous line of the caller. */
  continuation: boolean;
}

export interface Segment {
  who: "caller" | "agent";
  id: string;
  text: string;
  final: boolean;
}

/** The caller's words and the reply. */
interface Exchange {
  id: number;
  typed: boolean;
  caller: Map<string, Segment>;
  preresponse: string;
  agent: Map<string, Segment>;
  record: TurnRecord | null;
}

/**
 * Segments of one exchange are joined, as an utterance or a reply may have several. What the caller says after the reply
 * has begun starts the next exchange. The record of the turn replaces the agent's text, as it knows how much was spoken.
 */
export class Transcript {
  private exchanges: Exchange[] = [];
  private exchangeOfSegment = new Map<string, Exchange>();

  get lines(): Line[] {
    return this.exchanges.flatMap((exchange, index) =>
      linesOf(exchange, cutOf(this.exchanges[index - 1]) === "continued"),
    );
  }

  addTyped(text: string): void {
    const exchange = this.open("caller");
    exchange.typed = true;
    exchange.caller.set(`typed-${exchange.caller.size}`, { who: "caller", id: "typed", text, final: true });
  }

  addSegment(segment: Segment): void {
    const key = `${segment.who} ${segment.id}`;
    const exchange = this.exchangeOfSegment.get(key) ?? this.open(segment.who);
    this.exchangeOfSegment.set(key, exchange);
    exchange[segment.who].set(segment.id, segment);
  }

  addPreresponse(text: string): void {
    this.open("agent").preresponse = text;
  }

  addRecord(record: TurnRecord): void {
    if (!record.preresponse && !record.answer) return; // the caller continued, so a later record has the reply
    const pending = this.exchanges.filter((exchange) => !exchange.record);
    const exchange = pending.find(({ agent, preresponse }) => agent.size || preresponse) ?? pending[0] ?? this.add();
    exchange.record = record;
    if (record.caller && !exchange.caller.size)
      exchange.caller.set("record", { who: "caller", id: "record", text: record.caller, final: true });
  }

  private open(who: "caller" | "agent"): Exchange {
    const last = this.exchanges.at(-1);
    if (!last || last.record) return this.add();
    // A pre-response always answers a caller, whose words may arrive after it.
    if (who === "caller" && last.preresponse && !last.caller.size) return last;
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

function cutOf(exchange: Exchange | undefined): Line["cut"] {
  if (!exchange?.record?.interrupted) return "";
  return isUnfinished(exchange.record) ? "continued" : "interrupted";
}

function linesOf(exchange: Exchange, continuation: boolean): Line[] {
  const { id, record, typed } = exchange;
  const lines: Line[] = [];
  const caller = joinText(exchange.caller);
  if (caller) {
    const final = [...exchange.caller.values()].every((segment) => segment.final);
    lines.push({ id: 2 * id, who: "caller", preresponse: "", text: caller, final, typed, cut: "", continuation });
  }
  const spoken = record
    ? { preresponse: record.preresponse ?? "", text: record.answer }
    : splitReply(joinText(exchange.agent), exchange.preresponse);
  if (spoken.preresponse || spoken.text) {
    const final = record !== null;
    const cut = cutOf(exchange);
    lines.push({ id: 2 * id + 1, who: "agent", ...spoken, final, typed: false, cut, continuation: false });
  }
  return lines;
}

function joinText(segments: ReadonlyMap<string, Segment>): string {
  return [...segments.values()]
    .map((segment) => segment.text.trim())
    .filter(Boolean)
    .join(" ");
}

/** Separate the pre-response, which is known before the transcript arrives, from the answer. */
function splitReply(text: string, preresponse: string): { preresponse: string; text: string } {
  if (!preresponse || preresponse.startsWith(text))
    return preresponse ? { preresponse, text: "" } : { preresponse, text };
  return text.startsWith(preresponse)
    ? { preresponse, text: text.slice(preresponse.length).trim() }
    : { preresponse, text };
}
