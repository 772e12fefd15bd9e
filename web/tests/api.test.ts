import { afterEach, expect, test, vi } from "vitest";
import { fetchConfig, fetchSession } from "../src/api";
import { microphoneProblem, type Problem, ProblemError } from "../src/problems";

afterEach(() => {
  vi.unstubAllGlobals();
});

function server(answer: () => Response | Promise<Response>) {
  const fetch = vi.fn(async (_path: string, _request?: RequestInit) => answer());
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

async function problemOf(asking: Promise<unknown>): Promise<Problem> {
  const error = await asking.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return (error as ProblemError).problem;
}

const refusal = (code: string, message: string, status: number, headers = {}) =>
  Response.json({ error: { code, message } }, { status, headers });

test("a token is requested as JSON, which a form of another site cannot send", async () => {
  const session = { url: "ws://localhost:7880", token: "t", room: "call-1", identity: "caller-1" };
  const fetch = server(() => Response.json({ ...session, later: true }));
  expect(await fetchSession()).toEqual(session);
  expect(fetch).toHaveBeenCalledWith("api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
});

test("a refusal shows the message of the server and when to try again", async () => {
  server(() => refusal("rate_limited", "Too many calls from here.", 429, { "Retry-After": "30" }));
  expect(await problemOf(fetchSession())).toMatchObject({
    code: "token-refused",
    title: "Too many calls from here.",
    advice: "Try again in 30 seconds.",
  });
});

test.each([
  [401, "token-refused"],
  [403, "token-refused"],
  [503, "token-refused"],
  [500, "server-unreachable"],
  [502, "server-unreachable"],
])("status %i becomes %s, even without a message", async (status, code) => {
  server(() => new Response("<html>", { status }));
  expect(await problemOf(fetchSession())).toMatchObject({ code, advice: expect.stringMatching(/\w/) });
});

test("a server that does not answer is reported as unreachable", async () => {
  server(() => Promise.reject(new TypeError("Failed to fetch")));
  expect((await problemOf(fetchConfig())).code).toBe("server-unreachable");
});

test("a response without url and token is refused", async () => {
  server(() => Response.json({ room: "call-1" }));
  expect((await problemOf(fetchSession())).code).toBe("token-refused");
});

test("missing or invalid parts of the configuration get defaults", async () => {
  server(() => Response.json({ strategies: ["llm", 3, "off"] }));
  expect(await fetchConfig()).toEqual({ strategies: ["llm", "off"], text_input: true });
  server(() => Response.json({ text_input: false }));
  expect(await fetchConfig()).toEqual({ strategies: [], text_input: false });
});

test.each([
  ["NotAllowedError", "microphone-denied", "does not let"],
  ["SecurityError", "microphone-denied", "does not let"],
  ["NotFoundError", "no-microphone", "No microphone"],
  ["OverconstrainedError", "no-microphone", "No microphone"],
  ["NotReadableError", "no-microphone", "cannot be used"],
])("the error %s of the microphone becomes a problem with a message", (name, code, words) => {
  const error = Object.assign(new Error("browser's words"), { name });
  expect(microphoneProblem(error)).toMatchObject({ code, title: expect.stringContaining(words) });
});
