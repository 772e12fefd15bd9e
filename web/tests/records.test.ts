import { expect, test } from "vitest";
import { parseBackchannel, parsePreresponse, parseTurn } from "../src/records";
import { turn } from "./turns";

test("a record of the worker is parsed unchanged", () => {
  expect(parseTurn(JSON.stringify(turn()))).toEqual(turn());
});

test("fields of a newer worker are dropped, and fields missing from an older one are empty", () => {
  const record = parseTurn('{"turn": 1, "answer": "Hello.", "later": {"x": 1}}');
  expect(record).toMatchObject({ turn: 1, answer: "Hello.", caller: null, response_gap: null, usage: null });
  expect(record?.instants.end_of_turn).toBeNull();
  expect(record).not.toHaveProperty("later");
});

test.each(["", "no json", "[]", "null", '{"turn": "1"}'])("text that is not a turn record gives null: %s", (text) => {
  expect(parseTurn(text)).toBeNull();
});

test("a listener's sound needs a length", () => {
  expect(parseBackchannel('{"text": "Mm-hmm.", "seconds": 0.5}')).toEqual({ text: "Mm-hmm.", seconds: 0.5 });
  expect(parseBackchannel('{"text": "Mm-hmm."}')).toBeNull();
  expect(parseBackchannel("{")).toBeNull();
});

test("a pre-response needs text", () => {
  expect(parsePreresponse('{"text": "Let me see.", "source": "phrase"}')).toEqual({
    text: "Let me see.",
    source: "phrase",
  });
  expect(parsePreresponse('{"text": ""}')).toBeNull();
  expect(parsePreresponse("{")).toBeNull();
});
