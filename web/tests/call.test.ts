import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AGENT_DUE } from "../src/call";
import { ProblemError, problem } from "../src/problems";
import { setUp } from "./fakes";
import { turn } from "./make";

type World = ReturnType<typeof setUp>;
let world: World;
let call: World["call"];

beforeEach(() => {
  vi.useFakeTimers();
  world = setUp();
  call = world.call;
});

afterEach(() => {
  vi.useRealTimers();
});

const code = () => call.problem.value?.code;

test("a call opens the microphone, asks for a token, joins and is heard", async () => {
  call.microphone.value = "usb";
  await call.start();
  expect(world.outside.openMicrophone).toHaveBeenCalledWith("usb");
  expect(world.outside.connect.mock.calls[0]?.[0]).toMatchObject({ token: "token" });
  expect(world.room().heard).toEqual([["speak", world.tracks[0]]]);
  expect(call.phase.value).toBe("on");
  expect(call.speaking.value).toBe(true);
});

test("without leave to use the microphone there is no call, and no token is asked for", async () => {
  world.outside.openMicrophone.mockRejectedValue(new ProblemError(problem("microphone-denied")));
  await call.start();
  expect(code()).toBe("microphone-denied");
  expect(call.phase.value).toBe("idle");
  expect(world.outside.fetchSession).not.toHaveBeenCalled();
});

test("a refused token lets go of the microphone", async () => {
  world.outside.fetchSession.mockRejectedValue(new ProblemError(problem("token-refused")));
  await call.start();
  expect(code()).toBe("token-refused");
  expect(call.phase.value).toBe("idle");
  expect(world.tracks[0]?.stopped).toBe(true);
  expect(world.recorder.stop).toHaveBeenCalled();
});

test("a server that cannot be reached is said so, and the next try may succeed", async () => {
  world.outside.connect.mockRejectedValueOnce(new ProblemError(problem("server-unreachable")));
  await call.start();
  expect(code()).toBe("server-unreachable");
  await call.start();
  expect(code()).toBeUndefined();
  expect(call.phase.value).toBe("on");
});

test("two clicks begin one call", async () => {
  await Promise.all([call.start(), call.start()]);
  expect(world.rooms).toHaveLength(1);
});

test("hanging up while connecting ends in no call, even if the room answers later", async () => {
  const starting = call.start();
  await call.hangUp();
  await starting;
  expect(call.phase.value).toBe("idle");
  expect(world.tracks.every((track) => track.stopped)).toBe(true);
  expect(world.rooms.every((room) => room.heard.some(([what]) => what === "hang up"))).toBe(true);
});

test("an agent that is not there after ten seconds is missed, until it comes", async () => {
  await call.start();
  vi.advanceTimersByTime(AGENT_DUE - 1);
  expect(code()).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(code()).toBe("agent-missing");
  world.room().agentJoins();
  expect(code()).toBeUndefined();
});

test("an agent that leaves and does not come back is missed too", async () => {
  await call.start();
  world.room().agentJoins();
  world.room().says.agent(null);
  vi.advanceTimersByTime(AGENT_DUE);
  expect(code()).toBe("agent-missing");
});

test("an agent in time is never missed", async () => {
  await call.start();
  world.room().agentJoins();
  vi.advanceTimersByTime(2 * AGENT_DUE);
  expect(code()).toBeUndefined();
});

test("a lost connection is said, and no more once it is back; then the agent has ten seconds anew", async () => {
  await call.start();
  world.room().agentJoins();
  world.room().says.connection("reconnecting");
  expect(code()).toBe("reconnecting");
  world.room().says.agent(null);
  world.room().says.connection("connected");
  expect(code()).toBeUndefined();
  vi.advanceTimersByTime(AGENT_DUE);
  expect(code()).toBe("agent-missing");
});

test("a connection that stays lost ends the call, and what was said stays", async () => {
  await call.start();
  world.room().says.segment({ who: "caller", id: "1", text: "Hello", final: true });
  world.room().says.ended(problem("disconnected"));
  expect(code()).toBe("disconnected");
  expect(call.phase.value).toBe("ended");
  expect(call.lines.value).toHaveLength(1);
  expect(world.tracks[0]?.stopped).toBe(true);
});

test("muting and unmuting reach the room", async () => {
  await call.start();
  await call.toggleMute();
  expect(call.muted.value).toBe(true);
  await call.toggleMute();
  expect(world.room().heard.slice(1)).toEqual([
    ["mute", true],
    ["mute", false],
  ]);
});

test("another microphone takes over at once and stays muted", async () => {
  await call.start();
  await call.toggleMute();
  await call.changeMicrophone("usb");
  expect(world.tracks[0]?.stopped).toBe(true);
  expect(world.room().heard.slice(-2)).toEqual([
    ["speak", world.tracks[1]],
    ["mute", true],
  ]);
  expect(world.recorder.hearCaller).toHaveBeenLastCalledWith(world.tracks[1]);
});

test("a microphone that cannot be opened leaves the one that is in use", async () => {
  await call.start();
  world.outside.openMicrophone.mockRejectedValueOnce(new ProblemError(problem("no-microphone")));
  await call.changeMicrophone("gone");
  expect(code()).toBe("no-microphone");
  expect(world.tracks[0]?.stopped).toBe(false);
});

test("a microphone that is unplugged is said so", async () => {
  await call.start();
  world.tracks[0]?.dispatchEvent(new Event("ended"));
  expect(code()).toBe("no-microphone");
  expect(call.speaking.value).toBe(false);
});

test("typing begins a call without a microphone, and the words wait for an agent that can read them", async () => {
  expect(await call.type("Hello")).toBe(true);
  expect(world.outside.openMicrophone).not.toHaveBeenCalled();
  expect(call.lines.value).toMatchObject([{ who: "caller", text: "Hello", typed: true }]);
  world.room().agentJoins({ state: "initializing" });
  expect(world.room().heard).toEqual([]);
  world.room().agentJoins();
  expect(world.room().heard).toEqual([["type", "Hello"]]);
});

test("in a call without a microphone it can be turned on", async () => {
  await call.start(false);
  await call.toggleMute();
  expect(call.speaking.value).toBe(true);
  expect(call.muted.value).toBe(false);
  expect(world.room().heard).toEqual([["speak", world.tracks[0]]]);
});

test("typed words that did not get through are not shown as said", async () => {
  await call.start();
  world.room().agentJoins();
  world.room().failing = true;
  expect(await call.type("Hello")).toBe(false);
  expect(code()).toBe("not-sent");
  expect(call.lines.value).toEqual([]);
});

test("a strategy is asked of the agent, and shown", async () => {
  await call.start();
  world.room().agentJoins();
  expect(call.strategy.value).toBe("phrase");
  await call.chooseStrategy("off");
  expect(world.room().heard.at(-1)).toEqual(["strategy", "off"]);
  expect(call.strategy.value).toBe("off");
});

test("a strategy that was chosen before the call, or before the agent was lost, is asked of the agent that comes", async () => {
  await call.chooseStrategy("llm");
  await call.start();
  world.room().agentJoins({ state: "initializing", strategy: null });
  world.room().agentJoins();
  expect(world.room().heard.filter(([what]) => what === "strategy")).toEqual([["strategy", "llm"]]);
  world.room().says.agent(null);
  world.room().agentJoins({ identity: "agent-2" });
  expect(world.room().heard.filter(([what]) => what === "strategy")).toHaveLength(2);
});

test("a strategy that the agent refuses is not shown as in force", async () => {
  await call.start();
  world.room().agentJoins();
  world.room().failing = true;
  await call.chooseStrategy("off");
  expect(call.strategy.value).toBe("phrase");
  expect(code()).toBe("not-sent");
});

test("turns give percentiles, usage and a summary to save", async () => {
  await call.start();
  world.room().agentJoins();
  world.room().turn(turn({ turn: 1, caller: null, response_gap: null, answer_gap: null }));
  world.room().turn(turn());
  world.room().turn(turn({ turn: 3, response_gap: 0.63, answer_gap: 1.1 }));
  expect(call.responseGaps.value).toMatchObject({ count: 2, p50: expect.closeTo(0.58) });
  expect(call.answerGaps.value).toMatchObject({ count: 2, p50: expect.closeTo(1.5) });
  expect(call.usage.value?.prompt_tokens).toBe(310);
  expect(call.summary()).toMatchObject({
    room: "call-1",
    turns: [{ turn: 1, response_gap_in_browser: null }, { turn: 2, response_gap_in_browser: 0.57 }, { turn: 3 }],
  });
});

test("the reply that a record tells of is looked for in the recording by its length", async () => {
  await call.start();
  world.room().turn(turn());
  expect(world.recorder.gapOfReply).toHaveBeenCalledWith(expect.closeTo(4 - 0.53));
});

test("a pre-response is shown before its transcript comes", async () => {
  await call.start();
  world.room().preresponse("Let me see.");
  expect(call.lines.value).toMatchObject([{ who: "agent", preresponse: "Let me see.", text: "" }]);
});

test("messages that are no turn records change nothing", async () => {
  await call.start();
  world.room().says.message("agent_worker.turn", "{");
  world.room().says.message("something else", "{}");
  expect(call.turns.value).toEqual([]);
});

test("what comes late from a call that has ended is not taken for the next", async () => {
  await call.start();
  const first = world.room();
  await call.hangUp();
  await call.start();
  first.says.segment({ who: "caller", id: "1", text: "late", final: true });
  first.says.ended(problem("disconnected"));
  expect(call.lines.value).toEqual([]);
  expect(call.phase.value).toBe("on");
});

test("hanging up tells the room, keeps the recording, and a new call begins empty", async () => {
  await call.start();
  world.room().turn(turn());
  await call.hangUp();
  expect(world.room().heard.at(-1)).toEqual(["hang up"]);
  expect(call.phase.value).toBe("ended");
  expect(call.recording()).toBeInstanceOf(Blob);
  await call.start();
  expect(call.turns.value).toEqual([]);
});

test("a browser that cannot record still calls", async () => {
  world.outside.record.mockRejectedValue(new Error("no worklet"));
  await call.start();
  world.room().turn(turn());
  expect(call.phase.value).toBe("on");
  expect(call.turns.value).toMatchObject([{ heardGap: null }]);
  expect(call.recorded.value).toBe(false);
});

test("sound that the browser blocks is said so until it plays", async () => {
  await call.start();
  world.room().says.soundBlocked(true);
  expect(code()).toBe("sound-blocked");
  await call.playSound();
  expect(world.room().heard.at(-1)).toEqual(["play"]);
  expect(code()).toBeUndefined();
});
