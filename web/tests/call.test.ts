import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AGENT_TIMEOUT_MS } from "../src/call";
import { ProblemError, problem } from "../src/problems";
import { setUpCall } from "./fakes";
import { turn } from "./turns";

type Setup = ReturnType<typeof setUpCall>;
let setup: Setup;
let call: Setup["call"];

beforeEach(() => {
  vi.useFakeTimers();
  setup = setUpCall();
  call = setup.call;
});

afterEach(() => {
  vi.useRealTimers();
});

const code = () => call.problem.value?.code;

test("a call opens the microphone, requests a token, joins and publishes the track", async () => {
  call.microphone.value = "usb";
  await call.start();
  expect(setup.dependencies.openMicrophone).toHaveBeenCalledWith("usb");
  expect(setup.dependencies.connect.mock.calls[0]?.[0]).toMatchObject({ token: "token" });
  expect(setup.room().calls).toEqual([["publishMicrophone", setup.tracks[0]]]);
  expect(call.phase.value).toBe("on");
  expect(call.hasMicrophone.value).toBe(true);
});

test("without permission for the microphone there is no call and no token is requested", async () => {
  setup.dependencies.openMicrophone.mockRejectedValue(new ProblemError(problem("microphone-denied")));
  await call.start();
  expect(code()).toBe("microphone-denied");
  expect(call.phase.value).toBe("idle");
  expect(setup.dependencies.fetchSession).not.toHaveBeenCalled();
});

test("a refused token stops the microphone and the recorder", async () => {
  setup.dependencies.fetchSession.mockRejectedValue(new ProblemError(problem("token-refused")));
  await call.start();
  expect(code()).toBe("token-refused");
  expect(call.phase.value).toBe("idle");
  expect(setup.tracks[0]?.stopped).toBe(true);
  expect(setup.recorder.stop).toHaveBeenCalled();
});

test("an unreachable server is reported, and the next attempt can succeed", async () => {
  setup.dependencies.connect.mockRejectedValueOnce(new ProblemError(problem("server-unreachable")));
  await call.start();
  expect(code()).toBe("server-unreachable");
  await call.start();
  expect(code()).toBeUndefined();
  expect(call.phase.value).toBe("on");
});

test("two clicks start one call", async () => {
  await Promise.all([call.start(), call.start()]);
  expect(setup.rooms).toHaveLength(1);
});

test("hanging up while connecting leaves no call, even if the room answers later", async () => {
  const starting = call.start();
  await call.hangUp();
  await starting;
  expect(call.phase.value).toBe("idle");
  expect(setup.tracks.every((track) => track.stopped)).toBe(true);
  expect(setup.rooms.every((room) => room.calls.some(([method]) => method === "disconnect"))).toBe(true);
});

test("a missing agent is reported after the timeout, until it joins", async () => {
  await call.start();
  vi.advanceTimersByTime(AGENT_TIMEOUT_MS - 1);
  expect(code()).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(code()).toBe("agent-missing");
  setup.room().agentJoins();
  expect(code()).toBeUndefined();
});

test("an agent that leaves and does not return is reported as missing", async () => {
  await call.start();
  setup.room().agentJoins();
  setup.room().listener.onAgent(null);
  vi.advanceTimersByTime(AGENT_TIMEOUT_MS);
  expect(code()).toBe("agent-missing");
});

test("an agent that joins in time is not reported as missing", async () => {
  await call.start();
  setup.room().agentJoins();
  vi.advanceTimersByTime(2 * AGENT_TIMEOUT_MS);
  expect(code()).toBeUndefined();
});

test("a lost connection is reported until it is restored; then the timeout of the agent starts again", async () => {
  await call.start();
  setup.room().agentJoins();
  setup.room().listener.onConnectionState("reconnecting");
  expect(code()).toBe("reconnecting");
  setup.room().listener.onAgent(null);
  setup.room().listener.onConnectionState("connected");
  expect(code()).toBeUndefined();
  vi.advanceTimersByTime(AGENT_TIMEOUT_MS);
  expect(code()).toBe("agent-missing");
});

test("a connection that stays lost ends the call and keeps the transcript", async () => {
  await call.start();
  setup.room().listener.onSegment({ who: "caller", id: "1", text: "Hello", final: true });
  setup.room().listener.onEnded(problem("disconnected"));
  expect(code()).toBe("disconnected");
  expect(call.phase.value).toBe("ended");
  expect(call.lines.value).toHaveLength(1);
  expect(setup.tracks[0]?.stopped).toBe(true);
});

test("muting and unmuting reach the room", async () => {
  await call.start();
  await call.toggleMute();
  expect(call.muted.value).toBe(true);
  await call.toggleMute();
  expect(setup.room().calls.slice(1)).toEqual([
    ["setMuted", true],
    ["setMuted", false],
  ]);
});

test("another microphone replaces the first one immediately and stays muted", async () => {
  await call.start();
  await call.toggleMute();
  await call.changeMicrophone("usb");
  expect(setup.tracks[0]?.stopped).toBe(true);
  expect(setup.room().calls.slice(-2)).toEqual([
    ["publishMicrophone", setup.tracks[1]],
    ["setMuted", true],
  ]);
  expect(setup.recorder.setCallerTrack).toHaveBeenLastCalledWith(setup.tracks[1]);
});

test("a microphone that cannot be opened does not stop the current one", async () => {
  await call.start();
  setup.dependencies.openMicrophone.mockRejectedValueOnce(new ProblemError(problem("no-microphone")));
  await call.changeMicrophone("gone");
  expect(code()).toBe("no-microphone");
  expect(setup.tracks[0]?.stopped).toBe(false);
});

test("an unplugged microphone is reported", async () => {
  await call.start();
  setup.tracks[0]?.dispatchEvent(new Event("ended"));
  expect(code()).toBe("no-microphone");
  expect(call.hasMicrophone.value).toBe(false);
});

test("sending text starts a call without a microphone, and the text waits for an agent that is ready", async () => {
  expect(await call.sendText("Hello")).toBe(true);
  expect(setup.dependencies.openMicrophone).not.toHaveBeenCalled();
  expect(call.lines.value).toMatchObject([{ who: "caller", text: "Hello", typed: true }]);
  setup.room().agentJoins({ state: "initializing" });
  expect(setup.room().calls).toEqual([]);
  setup.room().agentJoins();
  expect(setup.room().calls).toEqual([["sendText", "Hello"]]);
});

test("a call that started without a microphone can add one", async () => {
  await call.start(false);
  await call.toggleMute();
  expect(call.hasMicrophone.value).toBe(true);
  expect(call.muted.value).toBe(false);
  expect(setup.room().calls).toEqual([["publishMicrophone", setup.tracks[0]]]);
});

test("text that could not be sent is not in the transcript", async () => {
  await call.start();
  setup.room().agentJoins();
  setup.room().failing = true;
  expect(await call.sendText("Hello")).toBe(false);
  expect(code()).toBe("not-sent");
  expect(call.lines.value).toEqual([]);
});

test("a chosen strategy is requested from the agent and shown", async () => {
  await call.start();
  setup.room().agentJoins();
  expect(call.strategy.value).toBe("phrase");
  await call.chooseStrategy("off");
  expect(setup.room().calls.at(-1)).toEqual(["setStrategy", "off"]);
  expect(call.strategy.value).toBe("off");
});

test("a strategy chosen before the call, or before the agent was lost, is requested from the next agent", async () => {
  await call.chooseStrategy("llm");
  await call.start();
  setup.room().agentJoins({ state: "initializing", strategy: null });
  setup.room().agentJoins();
  expect(setup.room().calls.filter(([method]) => method === "setStrategy")).toEqual([["setStrategy", "llm"]]);
  setup.room().listener.onAgent(null);
  setup.room().agentJoins({ identity: "agent-2" });
  expect(setup.room().calls.filter(([method]) => method === "setStrategy")).toHaveLength(2);
});

test("a strategy that the agent refuses is not shown", async () => {
  await call.start();
  setup.room().agentJoins();
  setup.room().failing = true;
  await call.chooseStrategy("off");
  expect(call.strategy.value).toBe("phrase");
  expect(code()).toBe("not-sent");
});

test("turns yield percentiles, usage and the JSON export", async () => {
  await call.start();
  setup.room().agentJoins();
  setup.room().turn(turn({ turn: 1, caller: null, response_gap: null, answer_gap: null }));
  setup.room().turn(turn());
  setup.room().turn(turn({ turn: 3, response_gap: 0.63, answer_gap: 1.1 }));
  expect(call.responseGaps.value).toMatchObject({ count: 2, p50: expect.closeTo(0.58) });
  expect(call.answerGaps.value).toMatchObject({ count: 2, p50: expect.closeTo(1.5) });
  expect(call.usage.value?.prompt_tokens).toBe(310);
  expect(call.summary()).toMatchObject({
    room: "call-1",
    turns: [{ turn: 1, response_gap_in_browser: null }, { turn: 2, response_gap_in_browser: 0.57 }, { turn: 3 }],
  });
});

test("the reply of a record is located in the recording by its duration", async () => {
  await call.start();
  setup.room().turn(turn());
  expect(setup.recorder.gapOfReply).toHaveBeenCalledWith(expect.closeTo(4 - 0.53));
});

test("a listener's sound of the agent is no line of the conversation and no reply", async () => {
  await call.start();
  setup.room().listener.onSegment({ who: "caller", id: "1", text: "Four one five", final: true });
  setup.room().backchannel("Mm-hmm.", 0.5);
  setup.room().listener.onSegment({ who: "caller", id: "2", text: "five five five.", final: true });
  expect(call.lines.value).toMatchObject([{ who: "caller", text: "Four one five five five five." }]);
  expect(setup.recorder.addBackchannel).toHaveBeenCalledWith(0.5);
});

test("a pre-response is shown before its transcript arrives", async () => {
  await call.start();
  setup.room().preresponse("Let me see.");
  expect(call.lines.value).toMatchObject([{ who: "agent", preresponse: "Let me see.", text: "" }]);
});

test("messages that are not turn records are ignored", async () => {
  await call.start();
  setup.room().listener.onMessage("agent_worker.turn", "{");
  setup.room().listener.onMessage("something else", "{}");
  expect(call.turns.value).toEqual([]);
});

test("late events of an ended call do not affect the next call", async () => {
  await call.start();
  const first = setup.room();
  await call.hangUp();
  await call.start();
  first.listener.onSegment({ who: "caller", id: "1", text: "late", final: true });
  first.listener.onEnded(problem("disconnected"));
  expect(call.lines.value).toEqual([]);
  expect(call.phase.value).toBe("on");
});

test("hanging up disconnects and keeps the recording; a new call starts empty", async () => {
  await call.start();
  setup.room().turn(turn());
  await call.hangUp();
  expect(setup.room().calls.at(-1)).toEqual(["disconnect"]);
  expect(call.phase.value).toBe("ended");
  expect(call.recording()).toBeInstanceOf(Blob);
  await call.start();
  expect(call.turns.value).toEqual([]);
});

test("the levels are those of the running call", async () => {
  expect(call.levels()).toEqual({ caller: 0, agent: 0 });
  await call.start();
  expect(call.levels()).toEqual({ caller: 0.5, agent: 0 });
});

test("a call works in a browser that cannot record", async () => {
  setup.dependencies.startRecorder.mockRejectedValue(new Error("no worklet"));
  await call.start();
  setup.room().turn(turn());
  expect(call.phase.value).toBe("on");
  expect(call.turns.value).toMatchObject([{ browserGap: null }]);
  expect(call.isRecorded.value).toBe(false);
  expect(call.levels()).toEqual({ caller: 0, agent: 0 });
});

test("blocked audio is reported until it plays", async () => {
  await call.start();
  setup.room().listener.onAudioBlocked(true);
  expect(code()).toBe("audio-blocked");
  await call.startAudio();
  expect(setup.room().calls.at(-1)).toEqual(["startAudio"]);
  expect(code()).toBeUndefined();
});
