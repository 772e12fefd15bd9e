/** Turn records in the groups in which they are shown: one group is one thing that the caller said, or the agent alone. */

import type { Turn } from "./call";
import type { TurnRecord } from "./generated/turn-record";

export interface TurnGroup {
  /** `turn`: the caller spoke. `greeting`: the first words of an agent. `message`: later words without a caller. */
  kind: "turn" | "greeting" | "message";
  /** Counts the groups in which the caller spoke, from 1; `null` in the others. */
  number: number | null;
  /** The part that has the reply, or the latest one so far. */
  last: Turn;
  /** The parts before it, after which the caller continued. */
  earlier: Turn[];
}

/**
 * Group the turns of a call, in order.
 *
 * The worker writes two records if a caller pauses, is taken to have finished, and continues before the answer: the first
 * record is interrupted. To the caller these are one turn.
 */
export function groupTurns(turns: readonly Turn[]): TurnGroup[] {
  const groups: TurnGroup[] = [];
  let number = 0;
  for (const turn of turns) {
    const open = groups.at(-1);
    if (open && continues(turn, open.last)) {
      open.earlier.push(open.last);
      open.last = turn;
    } else {
      const kind = kindOf(turn, turns);
      groups.push({ kind, number: kind === "turn" ? ++number : null, last: turn, earlier: [] });
    }
  }
  return groups;
}

/**
 * An answer that stops so early was not interrupted on purpose: the caller was already speaking when it began, or began at
 * the same time, as half a second of speech interrupts, and the voice activity detector and a busy worker take time too.
 */
const MAX_BEGINNING_S = 1.25;

/** Whether the caller continued after this turn, before its answer or in its first moment. */
export function isUnfinished({ caller, interrupted, answer, instants }: TurnRecord): boolean {
  if (caller === null || !interrupted) return false;
  if (!answer) return true;
  const { answer_start, interruption } = instants;
  return answer_start !== null && interruption !== null && interruption - answer_start <= MAX_BEGINNING_S;
}

function continues(turn: Turn, before: Turn): boolean {
  return turn.agent === before.agent && turn.record.caller !== null && isUnfinished(before.record);
}

function kindOf(turn: Turn, turns: readonly Turn[]): TurnGroup["kind"] {
  if (turn.record.caller !== null) return "turn";
  return turns.find(({ agent }) => agent === turn.agent) === turn ? "greeting" : "message";
}
