import type { Call, Turn } from "../call";
import { count, dollars, duration, type Percentiles } from "../figures";
import type { TurnRecord, Usage } from "../generated/turn-record";
import { isUnfinished, type TurnGroup } from "../turn-groups";
import { axisTicks, type Bar, isSpeech, STAGES, type Waterfall, waterfall } from "../waterfall";
import { CallId } from "./call-id";
import { Exports } from "./exports";

/** The response gap of the last turn, and percentiles over the call. */
export function Headline({ call }: { call: Call }) {
  const last = call.groups.value.findLast((group) => group.last.record.response_gap !== null);
  return (
    <section class="card headline" aria-labelledby="headline-title">
      <h2 id="headline-title">Response gap</h2>
      {last ? (
        <>
          <div class="headline-figures">
            <p class="huge figures" data-testid="last-response-gap">
              <Figure seconds={last.last.record.response_gap} />
            </p>
            <History turns={call.turns.value} />
          </div>
          <p class="quiet">{summaryOf(last)}</p>
          <PercentileTable call={call} />
        </>
      ) : (
        <p class="quiet">
          How long you wait: from your last sound to the agent's first. It appears after your first spoken turn.
        </p>
      )}
    </section>
  );
}

/** A duration with its unit in small. */
function Figure({ seconds }: { seconds: number | null }) {
  const [value, unit] = duration(seconds).split(" ");
  return (
    <>
      {value}
      {unit && <small> {unit}</small>}
    </>
  );
}

function PercentileTable({ call }: { call: Call }) {
  return (
    <table class="percentiles figures" data-testid="percentiles">
      <caption class="hidden">Over the replies of this call</caption>
      <thead>
        <tr>
          <th scope="col">This call</th>
          <th scope="col">
            <abbr title="Median">p50</abbr>
          </th>
          <th scope="col">
            <abbr title="95th percentile">p95</abbr>
          </th>
          <th scope="col">replies</th>
        </tr>
      </thead>
      <tbody>
        <PercentileRow name="Response gap" percentiles={call.responseGaps.value} />
        <PercentileRow name="Answer gap" percentiles={call.answerGaps.value} />
      </tbody>
    </table>
  );
}

/** Bar chart of the last turns: solid up to the first sound, light up to the answer. */
function History({ turns }: { turns: readonly Turn[] }) {
  const shown = turns.filter((turn) => turn.record.response_gap !== null).slice(-16);
  if (shown.length < 2) return null;
  const longest = Math.max(...shown.flatMap(({ record }) => [record.response_gap ?? 0, record.answer_gap ?? 0]));
  const height = (gap: number | null) => `${((100 * (gap ?? 0)) / longest).toFixed(1)}%`;
  return (
    <div class="history" aria-hidden="true">
      {shown.map(({ agent, record }) => (
        <span key={`${agent} ${record.turn}`}>
          <i style={{ height: height(record.answer_gap) }} />
          <b style={{ height: height(record.response_gap) }} />
        </span>
      ))}
    </div>
  );
}

function summaryOf({ number, last: { record, browserGap } }: TurnGroup): string {
  const recorded = browserGap === null ? "" : `; ${duration(browserGap)} in the recording of this browser`;
  const answer = record.answer_gap === null ? "" : `. The answer came after ${duration(record.answer_gap)}`;
  return `Turn ${number}${recorded}${answer}.`;
}

function PercentileRow({ name, percentiles }: { name: string; percentiles: Percentiles | null }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{duration(percentiles?.p50)}</td>
      <td>{duration(percentiles?.p95)}</td>
      <td>{percentiles?.count ?? 0}</td>
    </tr>
  );
}

export function Turns({ call }: { call: Call }) {
  const groups = call.groups.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box needs keyboard focus
    <section class="card turns" aria-labelledby="turns-title" tabIndex={0}>
      <header class="card-head">
        <h2 id="turns-title">Turns</h2>
        <p class="quiet">newest first; times count from your last sound</p>
      </header>
      <ol data-testid="turns">{groups.map((group) => <GroupView key={keyOf(group)} group={group} />).reverse()}</ol>
      {!groups.length && (
        <p class="empty quiet">
          Each reply appears here with the time of its stages: STT, end-of-turn detection, models and TTS.
        </p>
      )}
    </section>
  );
}

/** Stays the same when the caller continues. */
function keyOf({ earlier, last }: TurnGroup): string {
  const first = earlier[0] ?? last;
  return `${first.agent} ${first.record.turn}`;
}

const OUTCOMES: Record<string, string> = {
  silent_kind: "no pre-response needed",
  answer_first: "answer just as fast",
  nothing_to_say: "no pre-response found",
  continued: "acknowledged before you went on",
  failed: "pre-response failed",
  inaudible: "cut off before a sound",
};

function GroupView({ group }: { group: TurnGroup }) {
  const { kind, earlier, last } = group;
  const turns = [...earlier, last].map(({ record }) => record.turn).join(" ");
  return (
    <li class="turn" data-testid="turn" data-kind={kind} data-turns={turns}>
      {kind === "turn" ? <CallerTurn group={group} /> : <AgentTurn kind={kind} record={last.record} />}
    </li>
  );
}

/** Words of the agent that answer nothing: there is no wait to measure. */
function AgentTurn({ kind, record }: { kind: "greeting" | "message"; record: TurnRecord }) {
  return (
    <>
      <h3>{kind === "greeting" ? "The agent's greeting" : "The agent's message"}</h3>
      {record.interrupted && (
        <p class="chips">
          <span class="chip warning">interrupted</span>
        </p>
      )}
      <p class="quote">{record.answer}</p>
    </>
  );
}

function CallerTurn({ group }: { group: TurnGroup }) {
  const { number, earlier, last } = group;
  const { record } = last;
  return (
    <>
      <header>
        <h3>Turn {number}</h3>
        <Gaps turn={last} />
      </header>
      <Chips group={group} />
      <p class="quote">
        {[...earlier, last].map((part) => (
          <span key={part.record.turn} data-testid="turn-caller">
            {part.record.caller}{" "}
          </span>
        ))}
      </p>
      <Continuation group={group} />
      <WaterfallView waterfall={waterfall(record)} gap={record.response_gap} />
    </>
  );
}

function Chips({ group: { earlier, last } }: { group: TurnGroup }) {
  const { record } = last;
  const outcome = OUTCOMES[record.preresponse_outcome ?? ""];
  const continued = earlier.length > 0 || isUnfinished(record);
  return (
    <p class="chips">
      {record.strategy && <span class="chip">{record.strategy}</span>}
      {continued && <span class="chip warning">you continued</span>}
      {record.interrupted && !isUnfinished(record) && <span class="chip warning">interrupted</span>}
      {outcome && <span class="chip">{outcome}</span>}
    </p>
  );
}

/** Explains a turn whose words the agent took for finished too early. */
function Continuation({ group: { earlier, last } }: { group: TurnGroup }) {
  const parts = isUnfinished(last.record) ? [...earlier, last] : earlier;
  const cut = parts.at(-1);
  if (!cut) return null;
  const spoken = [cut.record.preresponse, cut.record.answer].filter(Boolean).join(" ");
  const stopped = spoken ? `The agent had said “${spoken}” and stopped` : "The agent had not said anything yet";
  const answered = isUnfinished(last.record) ? "" : ", then answered the whole turn";
  return (
    <p class="note" data-testid="continuation">
      You paused, then continued. {stopped}
      {answered}.
    </p>
  );
}

function Gaps({ turn: { record, browserGap } }: { turn: Turn }) {
  const gaps: [string, string, number | null][] = [
    ["Response", "response-gap", record.response_gap],
    ["Answer", "answer-gap", record.answer_gap],
    ["In browser", "heard-gap", browserGap],
  ];
  const measured = gaps.filter(([, , gap]) => gap !== null);
  if (!measured.length) return null;
  return (
    <dl class="gaps figures">
      {measured.map(([name, id, gap]) => (
        <div key={id}>
          <dt>{name}</dt>
          <dd data-testid={id} class={id === "response-gap" ? "large" : undefined}>
            <Figure seconds={gap} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function WaterfallView({ waterfall: { bars, start, end }, gap }: { waterfall: Waterfall; gap: number | null }) {
  const position = (at: number) => `${((100 * (at - start)) / (end - start)).toFixed(2)}%`;
  if (!bars.length) return null;
  return (
    <div class="waterfall" data-testid="waterfall">
      {gap !== null && (
        <div class="gap-label" aria-hidden="true">
          <span style={{ left: position(gap) }}>first sound</span>
        </div>
      )}
      <ul>
        {bars.map((bar) => (
          <BarRow key={bar.stage} bar={bar} end={end} position={position} gap={gap} />
        ))}
      </ul>
      <div class="axis figures" aria-hidden="true">
        {axisTicks({ start, end }).map((tick) => (
          <span key={tick} style={{ left: position(tick) }}>
            {tick === 0 ? 0 : `${tick} s`}
          </span>
        ))}
      </div>
    </div>
  );
}

interface BarRowProps {
  bar: Bar;
  end: number;
  position: (at: number) => string;
  gap: number | null;
}

function BarRow({ bar: { stage, from, to }, end, position, gap }: BarRowProps) {
  const speech = isSpeech({ stage, from, to });
  const right = `calc(100% - ${position(Math.min(to, end))})`;
  return (
    <li>
      <span class="stage-name">{STAGES[stage]}</span>
      <span class="track" aria-hidden="true">
        {gap !== null && <i class="gap-mark" style={{ left: position(gap) }} />}
        <b
          class="bar"
          data-testid="bar"
          data-stage={stage}
          data-from={from}
          data-to={to}
          data-cut={to > end}
          style={{ left: position(from), right }}
        />
      </span>
      <span class="figures">
        {speech ? `at ${duration(from)}` : duration(to - from)}
        <span class="hidden">
          , from {duration(from)} to {duration(to)}
        </span>
      </span>
    </li>
  );
}

/** Usage and cost of the call, as far as the worker reports them, and its exports. */
export function UsageCard({ call }: { call: Call }) {
  const usage = call.usage.value;
  return (
    <section class="card usage" aria-labelledby="usage-title">
      <h2 id="usage-title">This call</h2>
      {call.id.value && <CallId id={call.id.value} />}
      {usage && <UsageList usage={usage} />}
      {call.agent.value?.writesMetrics === false && (
        <p class="quiet">The worker cannot write its metrics at present, so they do not include this call.</p>
      )}
      <Exports call={call} />
    </section>
  );
}

function UsageList({ usage }: { usage: Usage }) {
  return (
    <dl class="figures" data-testid="usage">
      {/* Self-hosted models have no price. */}
      {usage.cost_usd > 0 && <Item name="Cost" value={dollars(usage.cost_usd)} id="cost" />}
      <Item name="Prompt tokens" value={count(usage.prompt_tokens)} id="prompt-tokens" />
      <Item name="Completion tokens" value={count(usage.completion_tokens)} id="completion-tokens" />
      {/* Only of models that reason. */}
      {usage.reasoning_tokens > 0 && (
        <Item name="of these, reasoning" value={count(usage.reasoning_tokens)} id="reasoning-tokens" />
      )}
      <Item name="Speech transcribed" value={duration(usage.stt_seconds)} id="stt-seconds" />
      <Item name="Characters synthesised" value={count(usage.tts_characters)} id="tts-characters" />
    </dl>
  );
}

function Item({ name, value, id }: { name: string; value: string; id: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={id}>{value}</dd>
    </div>
  );
}
