import { beforeEach, expect, test } from "vitest";
import { type Line, Transcript } from "../src/transcript";
import { turn } from "./make";

let transcript: Transcript;
let ids = 0;

beforeEach(() => {
  transcript = new Transcript();
});

function say(who: "caller" | "agent", text: string, id = `${++ids}`, final = true) {
  transcript.segment({ who, id, text, final });
}

const short = (lines: Line[]) => lines.map(({ who, preresponse, text }) => [who, preresponse, text]);

test("what is understood so far is replaced by what is understood next", () => {
  say("caller", "What is", "a", false);
  say("caller", "What is the best way", "a", false);
  expect(transcript.lines).toMatchObject([{ who: "caller", text: "What is the best way", final: false }]);
  say("caller", "What is the best way?", "a");
  expect(transcript.lines).toMatchObject([{ text: "What is the best way?", final: true }]);
});

test("one utterance in several segments is one line", () => {
  say("caller", "What is");
  say("caller", "the best way?");
  expect(short(transcript.lines)).toEqual([["caller", "", "What is the best way?"]]);
});

test("the pre-response is there before the first word of the transcript, and never turns into answer", () => {
  transcript.preresponse("Let me see.");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", ""]]);
  say("agent", "Let me", "r");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", ""]]);
  say("agent", "Let me see. Start", "r");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", "Start"]]);
});

test("a pre-response in a segment of its own is told from the answer too", () => {
  transcript.preresponse("Let me see.");
  say("agent", "Let me see.");
  say("agent", "Start simple.");
  expect(short(transcript.lines)).toEqual([["agent", "Let me see.", "Start simple."]]);
});

test("without a pre-response all is answer", () => {
  say("caller", "Thanks");
  say("agent", "You are welcome.");
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "Thanks"],
    ["agent", "", "You are welcome."],
  ]);
});

test("what the caller says into a reply begins the next exchange, and the record goes to the one before", () => {
  say("caller", "Tell me about cooking");
  say("agent", "Cooking is a long", "r");
  say("caller", "Stop", "b", false);
  transcript.record(turn({ preresponse: null, answer: "Cooking is a", interrupted: true }));
  expect(transcript.lines).toMatchObject([
    { who: "caller", text: "Tell me about cooking" },
    { who: "agent", text: "Cooking is a", interrupted: true },
    { who: "caller", text: "Stop", interrupted: false },
  ]);
});

test("words of a reply that come after its record change nothing", () => {
  say("agent", "Cooking is a long", "r");
  transcript.record(turn({ preresponse: null, answer: "Cooking is a", interrupted: true }));
  say("agent", "Cooking is a long art", "r");
  expect(short(transcript.lines).at(-1)).toEqual(["agent", "", "Cooking is a"]);
});

test("a caller who spoke on before the reply has one line and one reply", () => {
  say("caller", "I would like to");
  transcript.record(turn({ preresponse: null, answer: "", interrupted: true }));
  say("caller", "book a table.");
  say("agent", "For how many?");
  transcript.record(turn({ turn: 3, preresponse: null, answer: "For how many?" }));
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "I would like to book a table."],
    ["agent", "", "For how many?"],
  ]);
});

test("typed words are a line at once, marked as typed", () => {
  transcript.typed("Hello there");
  expect(transcript.lines).toMatchObject([{ who: "caller", text: "Hello there", typed: true, final: true }]);
});

test("a turn that was never transcribed is shown from its record", () => {
  transcript.record(turn());
  expect(short(transcript.lines)).toEqual([
    ["caller", "", "What is the best way to learn how to cook?"],
    ["agent", "Let me think about that.", "Start with simple recipes."],
  ]);
});

test("lines keep their identity as the call goes on", () => {
  say("agent", "Hello!");
  const [greeting] = transcript.lines;
  transcript.record(turn({ caller: null, preresponse: null, answer: "Hello!" }));
  say("caller", "Hi");
  expect(transcript.lines[0]?.id).toBe(greeting?.id);
  expect(new Set(transcript.lines.map((line) => line.id)).size).toBe(2);
});
