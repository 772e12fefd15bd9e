import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/app";
import { ProblemError, problem } from "../src/problems";
import { setUpCall } from "./fakes";
import { instants, turn } from "./turns";

let setup: ReturnType<typeof setUpCall>;

beforeEach(async () => {
  setup = setUpCall();
  const config = { strategies: ["llm", "phrase", "hybrid", "off"], text_input: true };
  vi.stubGlobal("fetch", async () => Response.json(config));
  render(<App call={setup.call} />);
  await screen.findByTestId("strategy");
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function startCall() {
  await act(async () => {
    fireEvent.click(screen.getByTestId("talk"));
    await vi.waitFor(() => expect(setup.call.phase.value).toBe("on"));
  });
  return setup.room();
}

const perform = (action: () => void) => act(async () => action());
const attribute = (id: string, name: string) => screen.getByTestId(id).getAttribute(name);

test("the page shows the state of the agent from the talk button to the end of the call", async () => {
  expect(attribute("agent-state", "data-state")).toBe("idle");
  const room = await startCall();
  expect(attribute("agent-state", "data-state")).toBe("waiting");
  for (const state of ["initializing", "listening", "thinking", "speaking"] as const) {
    await perform(() => room.agentJoins({ state }));
    expect(attribute("agent-state", "data-state")).toBe(state);
  }
  await perform(() => fireEvent.click(screen.getByTestId("hang-up")));
  expect(attribute("agent-state", "data-state")).toBe("ended");
  expect(screen.getByTestId("talk").textContent).toContain("Talk again");
});

test("the page says when the agent can hear the caller", async () => {
  const hint = () => document.querySelector(".hint")?.textContent;
  const room = await startCall();
  expect(hint()).toBe("It cannot hear you yet.");
  expect(screen.getByRole("status").textContent).toContain("cannot hear you yet");
  await perform(() => room.agentJoins({ state: "initializing" }));
  expect(hint()).toBe("It cannot hear you yet.");
  await perform(() => room.agentJoins({ state: "listening" }));
  expect(hint()).toBe("Speak now.");
  const announced = screen.getByRole("status").textContent;
  expect(announced).toContain("You can speak");
  await perform(() => room.agentJoins({ state: "speaking" }));
  expect(hint()).toBe("Interrupt at any time.");
  expect(screen.getByRole("status").textContent).toBe(announced);
  await perform(() => room.agentJoins({ state: "listening" }));
  await perform(() => fireEvent.click(screen.getByTestId("mute")));
  expect(hint()).toBe("The agent cannot hear you.");
});

test("the picture of the sound is there during a call only", async () => {
  expect(screen.queryByTestId("sound")).toBeNull();
  await startCall();
  expect(screen.getByTestId("sound").getAttribute("aria-label")).toContain("yours above the line");
  await perform(() => fireEvent.click(screen.getByTestId("hang-up")));
  expect(screen.queryByTestId("sound")).toBeNull();
});

test("the call ID can be copied during a call and after it, also if no agent has joined", async () => {
  const writeText = vi.fn(async (_text: string) => {});
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  expect(screen.queryByTestId("call-id")).toBeNull();
  await startCall();
  expect(screen.getByTestId("call-id").textContent).toBe("call-1");
  await perform(() => fireEvent.click(screen.getByTestId("hang-up")));
  await perform(() => fireEvent.click(screen.getByTestId("copy-call-id")));
  expect(writeText).toHaveBeenCalledWith("call-1");
  expect(screen.getByText("Copied")).toBeTruthy();
});

test("a call that cannot connect has an ID, and a browser without a clipboard says what to do", async () => {
  vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
  setup.dependencies.connect.mockRejectedValue(new ProblemError(problem("server-unreachable")));
  await act(async () => {
    fireEvent.click(screen.getByTestId("talk"));
    await vi.waitFor(() => expect(setup.call.problem.value).not.toBeNull());
  });
  expect(setup.call.phase.value).toBe("idle");
  expect(screen.getByTestId("call-id").textContent).toBe("call-1");
  await perform(() => fireEvent.click(screen.getByTestId("copy-call-id")));
  expect(screen.getByText("Select the ID to copy it")).toBeTruthy();
});

test("the keyboard focus stays on the controls when a call begins and ends", async () => {
  const focused = () => (document.activeElement as HTMLElement | null)?.dataset.testid;
  screen.getByTestId("talk").focus();
  await startCall();
  expect(focused()).toBe("hang-up");
  await perform(() => fireEvent.click(screen.getByTestId("hang-up")));
  expect(focused()).toBe("talk");
});

test("pre-response and answer are separate elements", async () => {
  const room = await startCall();
  await perform(() => {
    room.listener.onSegment({ who: "caller", id: "1", text: "How do I learn to cook?", final: true });
    room.preresponse("Let me think.");
    room.listener.onSegment({ who: "agent", id: "2", text: "Let me think. Start simple.", final: false });
  });
  const [caller, agent] = screen.getAllByTestId("line");
  expect(caller?.dataset.who).toBe("caller");
  expect(agent?.dataset.who).toBe("agent");
  expect(within(agent as HTMLElement).getByTestId("preresponse").textContent).toBe("Let me think.");
  expect(within(agent as HTMLElement).getByTestId("answer").textContent).toBe("Start simple.");
});

test("a turn shows its gaps, and a bar for each stage at the times of the record", async () => {
  const room = await startCall();
  await perform(() => room.turn(turn()));
  const shown = screen.getByTestId("turn");
  expect(shown.dataset.turns).toBe("2");
  expect(within(shown).getByRole("heading").textContent).toBe("Turn 1");
  expect(within(shown).getByTestId("response-gap").textContent).toBe("530 ms");
  expect(within(shown).getByTestId("answer-gap").textContent).toBe("1.9 s");
  expect(within(shown).getByTestId("heard-gap").textContent).toBe("570 ms");
  const bars = within(within(shown).getByTestId("waterfall")).getAllByTestId("bar");
  const answer = bars.find((bar) => bar.dataset.stage === "answer");
  expect(answer?.dataset).toMatchObject({ from: "1.9", to: "4" });
  expect(screen.getByTestId("last-response-gap").textContent).toBe("530 ms");
});

test("the stages of a slow turn are in seconds from one second on", async () => {
  const room = await startCall();
  const at = instants({
    last_voice: 0,
    stt_final: 0.38,
    main_request: 0.38,
    main_first_token: 6.761,
    answer_start: 7.5,
  });
  await perform(() => room.turn(turn({ instants: { ...at, answer_end: 9 } })));
  const rows = within(screen.getByTestId("waterfall")).getAllByRole("listitem");
  const figures = rows.map((row) => row.querySelector(".figures")?.firstChild?.textContent);
  expect(figures).toEqual(["380 ms", "6.4 s", "at 7.5 s"]);
});

test("the greeting is shown as such, without number, gaps or waterfall", async () => {
  const room = await startCall();
  const at = instants({ answer_start: 0, answer_end: 2 });
  const none = { caller: null, preresponse: null, response_gap: null, answer_gap: null, instants: at };
  await perform(() => room.turn(turn({ turn: 1, answer: "Hello! How can I help you?", ...none })));
  const shown = screen.getByTestId("turn");
  expect(within(shown).getByRole("heading").textContent).toBe("The agent's greeting");
  expect(shown.textContent).toContain("Hello! How can I help you?");
  expect(shown.textContent).not.toContain("–");
  expect(shown.textContent).not.toMatch(/Turn|\d/);
  expect(screen.queryByTestId("waterfall")).toBeNull();
  expect(screen.queryByTestId("last-response-gap")).toBeNull();
});

test("a typed turn, which has no last sound, shows no empty gaps", async () => {
  const room = await startCall();
  await perform(() => room.turn(turn({ response_gap: null, answer_gap: null })));
  expect(screen.getByTestId("turn").textContent).not.toContain("–");
  expect(screen.queryByTestId("response-gap")).toBeNull();
});

test("a turn that the caller continued after a pause is one, with an explanation", async () => {
  const room = await startCall();
  const first = { caller: "My internet is down", preresponse: "Oh no.", answer: "", interrupted: true };
  await perform(() => room.turn(turn({ ...first, answer_gap: null })));
  expect(screen.getByTestId("continuation").textContent).toBe(
    "You paused, then continued. The agent had said “Oh no.” and stopped.",
  );
  await perform(() => room.turn(turn({ turn: 3, caller: "since yesterday.", response_gap: 0.6 })));
  const shown = screen.getByTestId("turn");
  expect(shown.dataset.turns).toBe("2 3");
  expect(within(shown).getByRole("heading").textContent).toBe("Turn 1");
  expect(within(shown).getAllByTestId("turn-caller")).toHaveLength(2);
  expect(shown.querySelector(".quote")?.textContent).toContain("My internet is down since yesterday.");
  expect(within(shown).getByTestId("response-gap").textContent).toBe("600 ms");
  expect(within(shown).getByText("you continued")).toBeTruthy();
  expect(within(shown).queryByText("interrupted")).toBeNull();
  expect(screen.getByTestId("continuation").textContent).toBe(
    "You paused, then continued. The agent had said “Oh no.” and stopped, then answered the whole turn.",
  );
});

test("an interrupted answer is marked as interrupted", async () => {
  const room = await startCall();
  await perform(() => room.turn(turn({ interrupted: true })));
  expect(within(screen.getByTestId("turn")).getByText("interrupted")).toBeTruthy();
  expect(screen.queryByTestId("continuation")).toBeNull();
});

test("the newest turn is first; percentiles and usage cover the whole call", async () => {
  const room = await startCall();
  await perform(() => room.turn(turn()));
  await perform(() => room.turn(turn({ turn: 3, response_gap: 0.73 })));
  expect(screen.getAllByTestId("turn").map((element) => element.dataset.turns)).toEqual(["3", "2"]);
  expect(screen.getByTestId("percentiles").textContent).toContain("630 ms");
  expect(screen.getByTestId("cost").textContent).toBe("$0.0061");
  expect(screen.getByTestId("prompt-tokens").textContent).toBe("310");
});

test("a self-hosted call, which costs nothing, says nothing about cost", async () => {
  const room = await startCall();
  const usage = {
    prompt_tokens: 310,
    completion_tokens: 42,
    reasoning_tokens: 0,
    stt_seconds: 6.5,
    tts_characters: 120,
    cost_usd: 0,
  };
  await perform(() => room.turn(turn({ usage })));
  expect(screen.getByTestId("prompt-tokens").textContent).toBe("310");
  expect(document.body.textContent).not.toMatch(/\$|cost/i);
});

test("a worker that reports no usage leaves no empty figures", async () => {
  const room = await startCall();
  await perform(() => room.turn(turn({ usage: null })));
  expect(screen.queryByTestId("usage")).toBeNull();
  expect(document.body.textContent).not.toMatch(/\$|cost|–/i);
});

test("the switch lists the strategies of the server and requests the chosen one from the agent", async () => {
  const room = await startCall();
  await perform(() => room.agentJoins());
  const radios = within(screen.getByTestId("strategy")).getAllByRole<HTMLInputElement>("radio");
  expect(radios.map((radio) => [radio.name, radio.value, radio.checked])).toEqual([
    ["strategy", "llm", false],
    ["strategy", "phrase", true],
    ["strategy", "hybrid", false],
    ["strategy", "off", false],
  ]);
  await perform(() => fireEvent.click(radios[3] as HTMLElement));
  expect(room.calls.at(-1)).toEqual(["setStrategy", "off"]);
});

test("the switch is disabled if callers may not choose, and says so", async () => {
  const room = await startCall();
  await perform(() => room.agentJoins({ strategy: null }));
  expect(screen.getByTestId<HTMLFieldSetElement>("strategy").disabled).toBe(true);
  expect(screen.getByText(/does not let callers choose/)).toBeTruthy();
});

test("a problem is an alert with a code, a message and an action", async () => {
  setup.dependencies.openMicrophone.mockRejectedValue(new ProblemError(problem("microphone-denied")));
  await perform(() => fireEvent.click(screen.getByTestId("talk")));
  const alert = screen.getByRole("alert");
  expect(alert.dataset).toMatchObject({ testid: "alert", code: "microphone-denied" });
  await act(async () => {
    fireEvent.click(screen.getByTestId("type-instead"));
    await vi.waitFor(() => expect(setup.call.phase.value).toBe("on"));
  });
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByTestId("mute").textContent).toContain("Use microphone");
});

test("while reconnecting there is nothing to click away", async () => {
  const room = await startCall();
  await perform(() => room.listener.onConnectionState("reconnecting"));
  expect(within(screen.getByRole("alert")).queryAllByRole("button")).toEqual([]);
});

test("text is sent once, and the field is emptied", async () => {
  const room = await startCall();
  await perform(() => room.agentJoins());
  const field = screen.getByTestId<HTMLInputElement>("text-input");
  await perform(() => fireEvent.input(field, { target: { value: "  Hello  " } }));
  await perform(() => fireEvent.click(screen.getByTestId("send")));
  expect(room.calls.filter(([method]) => method === "sendText")).toEqual([["sendText", "Hello"]]);
  expect(field.value).toBe("");
});

test("text that was not sent stays in the field", async () => {
  const room = await startCall();
  await perform(() => room.agentJoins());
  room.failing = true;
  const field = screen.getByTestId<HTMLInputElement>("text-input");
  await perform(() => fireEvent.input(field, { target: { value: "Hello" } }));
  await perform(() => fireEvent.click(screen.getByTestId("send")));
  await vi.waitFor(() => expect(field.value).toBe("Hello"));
});

test("text stays in the field if no call could be started", async () => {
  setup.dependencies.fetchSession.mockRejectedValue(new ProblemError(problem("server-unreachable")));
  await perform(() => fireEvent.input(screen.getByTestId("text-input"), { target: { value: "Hello" } }));
  await perform(() => fireEvent.click(screen.getByTestId("send")));
  await vi.waitFor(() => expect(screen.getByTestId<HTMLInputElement>("text-input").value).toBe("Hello"));
  expect(screen.getByRole("alert").dataset.code).toBe("server-unreachable");
});

test("the mute button shows whether it is pressed", async () => {
  await startCall();
  expect(attribute("mute", "aria-pressed")).toBe("false");
  await perform(() => fireEvent.click(screen.getByTestId("mute")));
  expect(attribute("mute", "aria-pressed")).toBe("true");
  expect(screen.getByText("You are muted")).toBeTruthy();
});

test("there is nothing to export before a call, and no turns before the first one", async () => {
  expect(screen.queryByTestId("export-json")).toBeNull();
  const room = await startCall();
  expect(screen.getByTestId<HTMLButtonElement>("export-json").disabled).toBe(true);
  await perform(() => room.turn(turn()));
  expect(screen.getByTestId<HTMLButtonElement>("export-json").disabled).toBe(false);
  expect(screen.getByTestId<HTMLButtonElement>("export-wav").disabled).toBe(false);
});

test("a worker that cannot write its metrics is reported", async () => {
  const room = await startCall();
  await perform(() => room.agentJoins({ writesMetrics: false }));
  expect(screen.getByText(/cannot write its metrics/)).toBeTruthy();
});

test("transcripts are shown as text, never as markup", async () => {
  const room = await startCall();
  await perform(() =>
    room.listener.onSegment({ who: "agent", id: "1", text: "<img src=x onerror=alert(1)>", final: true }),
  );
  expect(screen.getByTestId("transcript").querySelector("img")).toBeNull();
});
