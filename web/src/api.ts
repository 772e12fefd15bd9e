/** Client of the page server: configuration of the page, and tokens for calls. */

import { ProblemError, problem } from "./problems";

export interface Config {
  strategies: string[];
  text_input: boolean;
}

export interface Session {
  url: string;
  token: string;
  room: string;
  identity: string;
}

export async function fetchConfig(): Promise<Config> {
  const json = await readJson(await request("api/config"));
  const strategies = Array.isArray(json.strategies) ? json.strategies.filter((name) => typeof name === "string") : [];
  return { strategies, text_input: json.text_input !== false };
}

/** Request a new room and a token for it. */
export async function fetchSession(): Promise<Session> {
  const headers = { "Content-Type": "application/json" };
  const { url, token, room, identity } = await readJson(
    await request("api/session", { method: "POST", headers, body: "{}" }),
  );
  if (typeof url !== "string" || typeof token !== "string") throw new ProblemError(problem("token-refused"));
  return { url, token, room: String(room ?? ""), identity: String(identity ?? "") };
}

async function request(path: string, options: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, options);
  } catch {
    throw new ProblemError(problem("server-unreachable"));
  }
}

async function readJson(response: Response): Promise<Record<string, unknown>> {
  const json: unknown = await response.json().catch(() => null);
  if (response.ok && typeof json === "object" && json !== null) return json as Record<string, unknown>;
  throw new ProblemError(responseProblem(response, json));
}

/** Return the problem of a failed request, with the server's message if there is one. */
function responseProblem(response: Response, json: unknown) {
  const message = (json as { error?: { message?: unknown } } | null)?.error?.message;
  const text = typeof message === "string" ? { title: message } : {};
  const wait = Number(response.headers.get("Retry-After"));
  if (response.status === 429)
    return problem("token-refused", { ...text, advice: `Try again in ${wait > 0 ? `${wait} seconds` : "a minute"}.` });
  if (response.status === 401)
    return problem("token-refused", { ...text, advice: "Reload the page and enter its password." });
  if (response.status >= 500 && response.status !== 503) return problem("server-unreachable", text);
  const advice = message ? { advice: "If the problem persists, contact the operator of this page." } : {};
  return problem("token-refused", { ...text, ...advice });
}
