import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/app";
import { ProblemError, problem } from "../src/problems";
import { setUp } from "./fakes";
import { instants, turn } from "./make";

let world: ReturnType<typeof setUp>;

beforeEach(async () => {
  world = setUp();
  const config = { strategies: ["llm", "phrase", "hybrid", "off"], text_input: true };
  vi.stubGlobal("fetch", async () => Response.json(config));
  render(<App call={world.call} />);
  await screen.findByTestId("strategy");
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function talk() {
  await act(async () => {
    fireEvent.click(screen.getByTestId("talk"));
    await vi.waitFor(() => expect(world.call.phase.value).toBe("on"));
  });
  return world.room();
}

const happens = (what: () => void) => act(async () => what());
const attribute = (id: string, name: string) => screen.getByTestId(id).getAttribute(name);

test("from the talk button to the agent's states, and to the end of the call", async () => {
  expect(attribute("agent-state", "data-state")).toBe("idle");
  const room = await talk();
  expect(attribute("agent-state", "data-state")).toBe("waiting");
  for (const state of ["initializing", "listening", "thinking", "speaking"] as const) {
    await happens(() => room.agentJoins({ state }));
    expect(attribute("agent-state", "data-state")).toBe(state);
  }
  await happens(() => fireEvent.click(screen.getByTestId("hang-up")));
  expect(attribute("agent-state", "data-state")).toBe("ended");
  expect(screen.getByTestId("talk").textContent).toContain("Talk again");
});

test("a pre-response is an element of its own, apart from the answer", async () => {
  const room = await talk();
  await happens(() => {
    room.says.segment({ who: "caller", id: "1", text: "How do I learn to cook?", final: true });
    room.preresponse("Let me think.");
    room.says.segment({ who: "agent", id: "2", text: "Let me think. Start simple.", final: false });
  });
  const [caller, agent] = screen.getAllByTestId("line");
  expect(caller?.dataset.who).toBe("caller");
  expect(agent?.dataset.who).toBe("agent");
  expect(within(agent as HTMLElement).getByTestId("preresponse").textContent).toBe("Let me think.");
  expect(within(agent as HTMLElement).getByTestId("answer").textContent).toBe("Start simple.");
});

test("a turn shows its gaps and a bar for each stage, with the record's instants", async () => {
  const room = await talk();
  await happens(() => room.turn(turn()));
  const shown = screen.getByTestId("turn");
  expect(shown.dataset.turn).toBe("2");
  expect(within(shown).getByTestId("response-gap").textContent).toBe("0.53");
  expect(within(shown).getByTestId("answer-gap").textContent).toBe("1.90");
  expect(within(shown).getByTestId("heard-gap").textContent).toBe("0.57");
  const bars = within(within(shown).getByTestId("waterfall")).getAllByTestId("bar");
  const answer = bars.find((bar) => bar.dataset.stage === "answer");
  expect(answer?.dataset).toMatchObject({ from: "1.9", to: "4" });
  expect(screen.getByTestId("last-response-gap").textContent).toContain("0.53");
});

test("a greeting has no gap and no mark of a first sound", async () => {
  const room = await talk();
  const at = instants({ answer_start: 0, answer_end: 2 });
  await happens(() => room.turn(turn({ turn: 1, caller: null, response_gap: null, answer_gap: null, instants: at })));
  expect(screen.getByTestId("response-gap").textContent).toBe("–");
  expect(screen.queryByTestId("heard-gap")).toBeNull();
  expect(screen.queryByText("first sound")).toBeNull();
});

test("the newest turn is first, and percentiles and usage are of the whole call", async () => {
  const room = await talk();
  await happens(() => room.turn(turn()));
  await happens(() => room.turn(turn({ turn: 3, response_gap: 0.73 })));
  expect(screen.getAllByTestId("turn").map((one) => one.dataset.turn)).toEqual(["3", "2"]);
  expect(screen.getByTestId("percentiles").textContent).toContain("0.63");
  expect(screen.getByTestId("cost").textContent).toBe("$0.0061");
  expect(screen.getByTestId("prompt-tokens").textContent).toBe("310");
});

test("the switch has the server's strategies and asks the agent for the one that is chosen", async () => {
  const room = await talk();
  await happens(() => room.agentJoins());
  const radios = within(screen.getByTestId("strategy")).getAllByRole<HTMLInputElement>("radio");
  expect(radios.map((radio) => [radio.name, radio.value, radio.checked])).toEqual([
    ["strategy", "llm", false],
    ["strategy", "phrase", true],
    ["strategy", "hybrid", false],
    ["strategy", "off", false],
  ]);
  await happens(() => fireEvent.click(radios[3] as HTMLElement));
  expect(room.heard.at(-1)).toEqual(["strategy", "off"]);
});

test("where callers may not choose, the switch is off and says so", async () => {
  const room = await talk();
  await happens(() => room.agentJoins({ strategy: null }));
  expect(screen.getByTestId<HTMLFieldSetElement>("strategy").disabled).toBe(true);
  expect(screen.getByText(/does not let callers choose/)).toBeTruthy();
});

test("a problem is an alert with a code, words, and a way on", async () => {
  world.outside.openMicrophone.mockRejectedValue(new ProblemError(problem("microphone-denied")));
  await happens(() => fireEvent.click(screen.getByTestId("talk")));
  const alert = screen.getByRole("alert");
  expect(alert.dataset).toMatchObject({ testid: "alert", code: "microphone-denied" });
  await act(async () => {
    fireEvent.click(screen.getByTestId("type-instead"));
    await vi.waitFor(() => expect(world.call.phase.value).toBe("on"));
  });
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByTestId("mute").textContent).toContain("Use microphone");
});

test("while reconnecting there is nothing to click away", async () => {
  const room = await talk();
  await happens(() => room.says.connection("reconnecting"));
  expect(within(screen.getByRole("alert")).queryAllByRole("button")).toEqual([]);
});

test("typed words are sent once, and the field is empty for the next", async () => {
  const room = await talk();
  await happens(() => room.agentJoins());
  const field = screen.getByTestId<HTMLInputElement>("text-input");
  await happens(() => fireEvent.input(field, { target: { value: "  Hello  " } }));
  await happens(() => fireEvent.click(screen.getByTestId("send")));
  expect(room.heard.filter(([what]) => what === "type")).toEqual([["type", "Hello"]]);
  expect(field.value).toBe("");
});

test("words that were not sent are still in the field", async () => {
  const room = await talk();
  await happens(() => room.agentJoins());
  room.failing = true;
  const field = screen.getByTestId<HTMLInputElement>("text-input");
  await happens(() => fireEvent.input(field, { target: { value: "Hello" } }));
  await happens(() => fireEvent.click(screen.getByTestId("send")));
  await vi.waitFor(() => expect(field.value).toBe("Hello"));
});

test("words that could begin no call are still in the field", async () => {
  world.outside.fetchSession.mockRejectedValue(new ProblemError(problem("server-unreachable")));
  await happens(() => fireEvent.input(screen.getByTestId("text-input"), { target: { value: "Hello" } }));
  await happens(() => fireEvent.click(screen.getByTestId("send")));
  await vi.waitFor(() => expect(screen.getByTestId<HTMLInputElement>("text-input").value).toBe("Hello"));
  expect(screen.getByRole("alert").dataset.code).toBe("server-unreachable");
});

test("the mute button says whether it is pressed", async () => {
  await talk();
  expect(attribute("mute", "aria-pressed")).toBe("false");
  await happens(() => fireEvent.click(screen.getByTestId("mute")));
  expect(attribute("mute", "aria-pressed")).toBe("true");
  expect(screen.getByText("You are muted")).toBeTruthy();
});

test("there is nothing to save before something was said", async () => {
  expect(screen.getByTestId<HTMLButtonElement>("export-json").disabled).toBe(true);
  expect(screen.getByTestId<HTMLButtonElement>("export-wav").disabled).toBe(true);
  const room = await talk();
  await happens(() => room.turn(turn()));
  expect(screen.getByTestId<HTMLButtonElement>("export-json").disabled).toBe(false);
  expect(screen.getByTestId<HTMLButtonElement>("export-wav").disabled).toBe(false);
});

test("a worker that cannot write its metrics is said so", async () => {
  const room = await talk();
  await happens(() => room.agentJoins({ measured: false }));
  expect(screen.getByText(/cannot write its metrics/)).toBeTruthy();
});

test("what a worker or caller says is text, never markup", async () => {
  const room = await talk();
  await happens(() => room.says.segment({ who: "agent", id: "1", text: "<img src=x onerror=alert(1)>", final: true }));
  expect(screen.getByTestId("transcript").querySelector("img")).toBeNull();
});
