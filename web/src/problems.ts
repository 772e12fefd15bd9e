/** Messages for the caller about everything that can fail. */

export type ProblemCode =
  | "microphone-denied"
  | "no-microphone"
  | "token-refused"
  | "server-unreachable"
  | "agent-missing"
  | "reconnecting"
  | "disconnected"
  | "audio-blocked"
  | "not-sent";

export interface Problem {
  code: ProblemCode;
  title: string;
  advice: string;
}

const PROBLEMS: Record<ProblemCode, Omit<Problem, "code">> = {
  "microphone-denied": {
    title: "The browser does not let this page use the microphone.",
    advice: "Allow the microphone in the browser's address bar and try again. You can also type to the agent.",
  },
  "no-microphone": {
    title: "No microphone was found.",
    advice: "Plug one in, or choose another one, and try again. You can also type to the agent.",
  },
  "token-refused": {
    title: "The server refused the call.",
    advice: "Wait a minute and try again. If the problem persists, contact the operator of this page.",
  },
  "server-unreachable": {
    title: "The server cannot be reached.",
    advice: "Check your network connection and whether the server is running, then try again.",
  },
  "agent-missing": {
    title: "No agent has joined the call.",
    advice:
      "It may still join. If not, the worker is not running or is at its maximum number of calls: try again later.",
  },
  reconnecting: {
    title: "The connection was lost. Reconnecting …",
    advice: "The agent cannot hear you until the connection is restored.",
  },
  disconnected: {
    title: "The call has ended because the connection was lost.",
    advice: "Start a new call to continue. The conversation is still here, and you can save it.",
  },
  "audio-blocked": {
    title: "The browser blocks the agent's voice.",
    advice: "Click to allow it.",
  },
  "not-sent": {
    title: "The message did not reach the agent.",
    advice: "Try again.",
  },
};

export function problem(code: ProblemCode, text: Partial<Omit<Problem, "code">> = {}): Problem {
  return { code, ...PROBLEMS[code], ...text };
}

/** An error with a problem to show. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** Return the problem for an error of `getUserMedia`. */
export function microphoneProblem(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotFoundError" || name === "OverconstrainedError") return problem("no-microphone");
  if (name === "NotReadableError" || name === "AbortError")
    return problem("no-microphone", {
      title: "The microphone cannot be used.",
      advice:
        "Another program may be using it: close that program, or choose another microphone. You can also type to the agent.",
    });
  return problem("microphone-denied");
}
