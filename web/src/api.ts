/** The page server: what the page may offer, and a token for a call. */

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
  const json = await read(await ask("api/config"));
  const strategies = Array.isArray(json.strategies) ? json.strategies.filter((name) => typeof name === "string") : [];
  return { strategies, text_input: json.text_input !== false };
}

/** A new room, and a token for it. */
export async function fetchSession(): Promise<Session> {
  const headers = { "Content-Type": "application/json" };
  const { url, token, room, identity } = await read(await ask("api/session", { method: "POST", headers, body: "{}" }));
  if (typeof url !== "string" || typeof token !== "string") throw new ProblemError(problem("token-refused"));
  return { url, token, room: String(room ?? ""), identity: String(identity ?? "") };
}

async function ask(path: string, request: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, request);
  } catch {
    throw new ProblemError(problem("server-unreachable"));
  }
}

async function read(response: Response): Promise<Record<string, unknown>> {
  const json: unknown = await response.json().catch(() => null);
  if (response.ok && typeof json === "object" && json !== null) return json as Record<string, unknown>;
  throw new ProblemError(refusal(response, json));
}

/** The server's own words, where it has some. */
function refusal(response: Response, json: unknown) {
  const message = (json as { error?: { message?: unknown } } | null)?.error?.message;
  const words = typeof message === "string" ? { title: message } : {};
  const wait = Number(response.headers.get("Retry-After"));
  if (response.status === 429)
    return problem("token-refused", { ...words, advice: `Try again in ${wait > 0 ? `${wait} seconds` : "a minute"}.` });
  if (response.status === 401)
    return problem("token-refused", { ...words, advice: "Reload the page and give its password." });
  if (response.status >= 500 && response.status !== 503) return problem("server-unreachable", words);
  const advice = message ? { advice: "If it stays so, tell whoever runs this page." } : {};
  return problem("token-refused", { ...words, ...advice });
}
