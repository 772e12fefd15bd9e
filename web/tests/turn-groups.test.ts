import { expect, test } from "vitest";
import type { Turn } from "../src/call";
import type { TurnRecord } from "../src/generated/turn-record";
import { groupTurns } from "../src/turn-groups";
import { instants, turn } from "./turns";

const said = (caller: string, some: Partial<TurnRecord> = {}, agent = "a"): Turn => ({
  agent,
  record: turn({ caller, ...some }),
  browserGap: null,
});
const greeting = (agent = "a") => said("", { caller: null, answer: "Hello!" }, agent);
const UNANSWERED = { interrupted: true, answer: "" };

/** The caller's words of each group, with its kind and number. */
const short = (turns: Turn[]) =>
  groupTurns(turns).map(({ kind, number, earlier, last }) => [
    kind,
    number,
    ...[...earlier, last].map(({ record }) => record.caller),
  ]);

test("the greeting has no number, and the caller's turns count from 1", () => {
  expect(short([greeting(), said("Hi"), said("How are you?")])).toEqual([
    ["greeting", null, null],
    ["turn", 1, "Hi"],
    ["turn", 2, "How are you?"],
  ]);
});

test("a turn that was cut in two before the agent replied is one", () => {
  const first = said("My internet is down", { ...UNANSWERED, preresponse: null });
  expect(short([first, said("since yesterday"), said("Thanks")])).toEqual([
    ["turn", 1, "My internet is down", "since yesterday"],
    ["turn", 2, "Thanks"],
  ]);
});

test("a turn that was cut in three, of which a pre-response was heard, is one", () => {
  expect(short([said("My", UNANSWERED), said("internet", UNANSWERED), said("is down")])).toEqual([
    ["turn", 1, "My", "internet", "is down"],
  ]);
});

test("an interrupted answer ends its turn", () => {
  const at = instants({ last_voice: 0, answer_start: 1.9, interruption: 3.3 });
  expect(short([said("Tell me", { interrupted: true, answer: "Once upon", instants: at }), said("Stop")])).toEqual([
    ["turn", 1, "Tell me"],
    ["turn", 2, "Stop"],
  ]);
});

test("an answer that began while the caller was continuing does not end the turn", () => {
  const at = instants({ last_voice: 0, answer_start: 1.9, interruption: 3.1 });
  expect(short([said("My internet", { interrupted: true, answer: "Sorry", instants: at }), said("is down")])).toEqual([
    ["turn", 1, "My internet", "is down"],
  ]);
});

test("an interrupted answer of unknown times ends its turn", () => {
  const unknown = { interrupted: true, answer: "Once", instants: instants() };
  expect(short([said("Tell me", unknown), said("Stop")])).toHaveLength(2);
});

test("a turn without an answer that the caller did not interrupt ends", () => {
  expect(short([said("Hello", { answer: "" }), said("Anybody?")])).toHaveLength(2);
});

test("what another agent answers is another turn, and it has a greeting too", () => {
  const turns = [greeting(), said("My internet", UNANSWERED), greeting("b"), said("is down", {}, "b")];
  expect(short(turns).map(([kind, number]) => [kind, number])).toEqual([
    ["greeting", null],
    ["turn", 1],
    ["greeting", null],
    ["turn", 2],
  ]);
});

test("what the agent says by itself later is a message, not a greeting", () => {
  const goodbye = said("", { caller: null, answer: "Goodbye." });
  expect(short([said("Hi"), goodbye])).toEqual([
    ["turn", 1, "Hi"],
    ["message", null, null],
  ]);
});
