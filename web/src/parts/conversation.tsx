import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Call } from "../call";
import type { Line } from "../transcript";
import { SendIcon } from "./icons";

/** The transcript, and a field to send text. */
export function Conversation({ call, textInput }: { call: Call; textInput: boolean }) {
  return (
    <section class="card conversation" aria-labelledby="conversation-title">
      <header class="card-head">
        <h2 id="conversation-title">Conversation</h2>
        <p class="legend quiet">
          <span class="key preresponse">pre-response</span>
          <span class="key answer">answer</span>
        </p>
      </header>
      <Lines call={call} />
      {textInput && <Composer call={call} />}
    </section>
  );
}

function Lines({ call }: { call: Call }) {
  const lines = call.lines.value;
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const showLast = () => {
    if (box.current && follow.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(showLast, [lines]);
  useEffect(() => {
    const observer = new ResizeObserver(showLast);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      class="lines"
      role="log"
      // During a spoken call a screen reader would talk over the agent.
      aria-live={call.hasMicrophone.value && !call.muted.value ? "off" : "polite"}
      aria-label="Transcript"
      data-testid="transcript"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with the keyboard
      tabIndex={0}
      ref={box}
      onScroll={({ currentTarget: at }) => {
        follow.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
      }}
    >
      {lines.length ? (
        lines.map((line) => <LineView key={line.id} line={line} />)
      ) : (
        <p class="empty quiet">Nothing has been said yet.</p>
      )}
    </div>
  );
}

function LineView({ line }: { line: Line }) {
  const { who, preresponse, text, final, cut, continuation } = line;
  return (
    <div class="line" data-testid="line" data-who={who} data-final={final} data-continuation={continuation}>
      <span class="who">{speakerOf(line)}</span>
      <p>
        {who === "caller" && text}
        {preresponse && (
          <span class="preresponse" data-testid="preresponse" title="Pre-response, spoken before the answer">
            {preresponse}
          </span>
        )}
        {preresponse && text && " "}
        {who === "agent" && text && (
          <span class="answer" data-testid="answer">
            {text}
          </span>
        )}
        {cut && <span class="cut"> {CUTS[cut]}</span>}
      </p>
    </div>
  );
}

const CUTS = { interrupted: "interrupted", continued: "you continued" };

function speakerOf({ who, typed, continuation }: Line): string {
  if (who === "agent") return "Agent";
  return ["You", typed && "typed", continuation && "continued"].filter(Boolean).join(", ");
}

const PLACEHOLDERS = {
  idle: "Or type to the agent",
  connecting: "Type to the agent",
  on: "Type to the agent",
  ended: "Type to start a new call",
};

export function Composer({ call }: { call: Call }) {
  const phase = call.phase.value;
  const text = call.draft;
  const sending = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // A caller who started the call by typing keeps the focus in the field.
    if (call.phase.peek() === "connecting" && call.textOnly.peek()) field.current?.focus();
  }, [call]);
  const send = async () => {
    const message = text.value.trim();
    if (!message || sending.value) return;
    sending.value = true;
    text.value = "";
    if (!(await call.sendText(message)) && !text.value) text.value = message;
    sending.value = false;
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label class="hidden" for="text-input">
        Type to the agent
      </label>
      <input
        id="text-input"
        ref={field}
        data-testid="text-input"
        type="text"
        autocomplete="off"
        enterkeyhint="send"
        placeholder={PLACEHOLDERS[phase]}
        maxLength={2000}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="button primary" data-testid="send" disabled={!text.value.trim() || sending.value}>
        <SendIcon />
        <span>Send</span>
      </button>
    </form>
  );
}
