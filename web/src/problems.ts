/** What can go wrong, in words for the person at the page: what happened, and what to do. */

export type Code =
  | "microphone-denied"
  | "no-microphone"
  | "token-refused"
  | "server-unreachable"
  | "agent-missing"
  | "reconnecting"
  | "disconnected"
  | "sound-blocked"
  | "not-sent";

export interface Problem {
  code: Code;
  title: string;
  /** What to do. */
  advice: string;
}

const PROBLEMS: Record<Code, Omit<Problem, "code">> = {
  "microphone-denied": {
    title: "The browser does not let this page use the microphone.",
    advice: "Allow the microphone in the browser's address bar and try again. You can also type to the agent.",
  },
  "no-microphone": {
    title: "No microphone was found.",
    advice: "Plug one in, or choose another one, and try again. You can also type to the agent.",
  },
  "token-refused": {
    title: "You were not let into a call.",
    advice: "Wait a minute and try again. If it stays so, tell whoever runs this page.",
  },
  "server-unreachable": {
    title: "The server cannot be reached.",
    advice: "Check your network connection, and that the server is running; then try again.",
  },
  "agent-missing": {
    title: "No agent has joined the call.",
    advice: "It may still come. If not, the worker is not running, or has all the calls it can carry: try again later.",
  },
  reconnecting: {
    title: "The connection was lost. Reconnecting …",
    advice: "The agent cannot hear you until it is back.",
  },
  disconnected: {
    title: "The call has ended because the connection was lost.",
    advice: "Start a new call to go on. What was said is still here, and can be saved.",
  },
  "sound-blocked": {
    title: "The browser does not play the agent's voice.",
    advice: "It wants a click first.",
  },
  "not-sent": {
    title: "That did not reach the agent.",
    advice: "Try it once more.",
  },
};

export function problem(code: Code, words: Partial<Omit<Problem, "code">> = {}): Problem {
  return { code, ...PROBLEMS[code], ...words };
}

/** A problem as an error, for what cannot go on. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** What `getUserMedia` failed with. */
export function microphoneProblem(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotFoundError" || name === "OverconstrainedError") return problem("no-microphone");
  if (name === "NotReadableError" || name === "AbortError")
    return problem("no-microphone", {
      title: "The microphone cannot be used.",
      advice:
        "Another program may hold it: close that one, or choose another microphone. You can also type to the agent.",
    });
  return problem("microphone-denied");
}
