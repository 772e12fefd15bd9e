import { expect, test } from "vitest";
import { parsePreresponse, parseTurn } from "../src/records";
import { turn } from "./make";

test("a record that the worker sent is read as it is", () => {
  expect(parseTurn(JSON.stringify(turn()))).toEqual(turn());
});

test("fields that a later worker adds are passed over, and those that an earlier one lacks are empty", () => {
  const record = parseTurn('{"turn": 1, "answer": "Hello.", "later": {"x": 1}}');
  expect(record).toMatchObject({ turn: 1, answer: "Hello.", caller: null, response_gap: null, usage: null });
  expect(record?.instants.end_of_turn).toBeNull();
  expect(record).not.toHaveProperty("later");
});

test.each(["", "no json", "[]", "null", '{"turn": "1"}'])("what is no turn record is none: %s", (text) => {
  expect(parseTurn(text)).toBeNull();
});

test("a pre-response has words", () => {
  expect(parsePreresponse('{"text": "Let me see.", "source": "phrase"}')).toEqual({
    text: "Let me see.",
    source: "phrase",
  });
  expect(parsePreresponse('{"text": ""}')).toBeNull();
  expect(parsePreresponse("{")).toBeNull();
});
