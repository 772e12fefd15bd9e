import { beforeEach, expect, test } from "vitest";
import { type Line, Transcript } from "../src/transcript";
import { turn } from "./turns";

let transcript: Transcript;
let ids = 0;

beforeEach(() => {
  transcript = new Transcript();
});

function say(who: "caller" | "agent", text: string, id = `${++ids}`, final = true) {
  transcript.addSegment({ who, id, text, final });
}

const short = (lines: Line[]) => lines.map(({ who, preresponse, text }) => [who, preresponse, text]);

test("an interim transcript is replaced by the next one", () => {
  say("caller", "What is", "a", false);
  say("caller", "What is the best way", "a", false);
  expect(transcript.lines).toMatchObject([{ who: "caller", text: "What is the best way", final: false }]);
  say("caller", "What is the best way?", "a");
  expect(transcript.lines).toMatchObject([{ text: "What is the best way?", final: true }]);
});

test("an utterance in several segments is one line", () => {
  say("caller", "What is");
  say("caller", "the best way?");
  expect(short(transcript.lines)).toEqual([["caller", "", "What is the best way?"]]);
});

test("the pre-response appears before the transcript and never becomes part of the answer", () => {
  transcript.addPreresponse("Let me see.");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", ""]]);
  say("agent", "Let me", "r");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", ""]]);
  say("agent", "Let me see. Start", "r");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", "Start"]]);
});

test("a pre-response in a separate segment is separated from the answer", () => {
  transcript.addPreresponse("Let me see.");
  say("agent", "Let me see.");
  say("agent", "Start simple.");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", "Start simple."]]);
});

test("without a pre-response the whole reply is the answer", () => {
  say("caller", "Thanks");
  say("agent", "You are welcome.");
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "Thanks"],
    ["agent", "", "You are welcome."],
  ]);
});

test("an interruption starts the next exchange, and the record belongs to the previous one", () => {
  say("caller", "Tell me about cooking");
  say("agent", "Cooking is a long", "r");
  say("caller", "Stop", "b", false);
  transcript.addRecord(turn({ preresponse: null, answer: "Cooking is a", interrupted: true }));
  expect(transcript.lines).toMatchObject([
    { who: "caller", text: "Tell me about cooking" },
    { who: "agent", text: "Cooking is a", cut: "interrupted" },
    { who: "caller", text: "Stop", cut: "", continuation: false },
  ]);
});

test("transcription that arrives after the record is ignored", () => {
  say("agent", "Cooking is a long", "r");
  transcript.addRecord(turn({ preresponse: null, answer: "Cooking is a", interrupted: true }));
  say("agent", "Cooking is a long art", "r");
  expect(short(transcript.lines).at(-1)).toEqual(["agent", "", "Cooking is a"]);
});

test("a caller who continued before the reply has one line and one reply", () => {
  say("caller", "I would like to");
  transcript.addRecord(turn({ preresponse: null, answer: "", interrupted: true }));
  say("caller", "book a table.");
  say("agent", "For how many?");
  transcript.addRecord(turn({ turn: 3, preresponse: null, answer: "For how many?" }));
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "I would like to book a table."],
    ["agent", "", "For how many?"],
  ]);
});

test("a caller who continued after a pre-response has a second line, marked as the continuation", () => {
  say("caller", "My internet has been down");
  transcript.addPreresponse("Oh no.");
  say("caller", "since yesterday", "b", false);
  transcript.addRecord(turn({ preresponse: "Oh no.", answer: "", interrupted: true }));
  expect(transcript.lines).toMatchObject([
    { who: "caller", text: "My internet has been down", continuation: false },
    { who: "agent", preresponse: "Oh no.", cut: "continued" },
    { who: "caller", text: "since yesterday", continuation: true },
  ]);
});

test("the caller's words may arrive after the pre-response to them", () => {
  transcript.addPreresponse("Let me think about that.");
  say("caller", "What is the best way to learn how to cook?");
  say("agent", "Let me think about that. Start with", "b", false);
  const expected = ["caller", "", "What is the best way to learn how to cook?"];
  expect(short(transcript.lines)).toEqual([expected, ["agent", "Let me think about that.", "Start with"]]);
  transcript.addRecord(turn());
  expect(short(transcript.lines)).toEqual([
    expected,
    ["agent", "Let me think about that.", "Start with simple recipes."],
  ]);
});

test("sent text is a line immediately, marked as typed", () => {
  transcript.addTyped("Hello there");
  expect(transcript.lines).toMatchObject([{ who: "caller", text: "Hello there", typed: true, final: true }]);
});

test("a turn without transcription is shown from its record", () => {
  transcript.addRecord(turn());
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "What is the best way to learn how to cook?"],
    ["agent", "Let me think about that.", "Start with simple recipes."],
  ]);
});

test("lines keep their ids as the call continues", () => {
  say("agent", "Hello!");
  const [greeting] = transcript.lines;
  transcript.addRecord(turn({ caller: null, preresponse: null, answer: "Hello!" }));
  say("caller", "Hi");
  expect(transcript.lines[0]?.id).toBe(greeting?.id);
  expect(new Set(transcript.lines.map((line) => line.id)).size).toBe(2);
});
