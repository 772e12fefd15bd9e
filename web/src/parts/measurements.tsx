import type { Call, Turn } from "../call";
import { count, dollars, milliseconds, type Percentiles, seconds } from "../figures";
import { axisTicks, type Bar, isSpeech, STAGES, type Waterfall, waterfall } from "../waterfall";
import { Exports } from "./exports";

/** The response gap of the last turn, and percentiles over the call. */
export function Headline({ call }: { call: Call }) {
  const last = call.turns.value.findLast((turn) => turn.record.response_gap !== null);
  return (
    <section class="card headline" aria-labelledby="headline-title">
      <h2 id="headline-title">Response gap</h2>
      <div class="headline-figures">
        <p class="huge figures" data-testid="last-response-gap">
          {seconds(last?.record.response_gap)}
          <small> s</small>
        </p>
        <History turns={call.turns.value} />
      </div>
      <p class="quiet">{last ? summaryOf(last) : "From your last sound to the agent's first, in the last turn."}</p>
      <table class="percentiles figures" data-testid="percentiles">
        <caption class="hidden">Over the turns of this call, in seconds</caption>
        <thead>
          <tr>
            <th scope="col">Seconds</th>
            <th scope="col">
              <abbr title="Median">p50</abbr>
            </th>
            <th scope="col">
              <abbr title="95th percentile">p95</abbr>
            </th>
            <th scope="col">turns</th>
          </tr>
        </thead>
        <tbody>
          <PercentileRow name="Response gap" percentiles={call.responseGaps.value} />
          <PercentileRow name="Answer gap" percentiles={call.answerGaps.value} />
        </tbody>
      </table>
    </section>
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
        <span key={`${agent} ${record.turn}`} title={`Turn ${record.turn}`}>
          <i style={{ height: height(record.answer_gap) }} />
          <b style={{ height: height(record.response_gap) }} />
        </span>
      ))}
    </div>
  );
}

function summaryOf({ record, browserGap }: Turn): string {
  const recorded = browserGap === null ? "" : `; ${seconds(browserGap)} s in the recording of this browser`;
  const answer = record.answer_gap === null ? "" : `. The answer came after ${seconds(record.answer_gap)} s`;
  return `Turn ${record.turn}${recorded}${answer}.`;
}

function PercentileRow({ name, percentiles }: { name: string; percentiles: Percentiles | null }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{seconds(percentiles?.p50)}</td>
      <td>{seconds(percentiles?.p95)}</td>
      <td>{percentiles?.count ?? 0}</td>
    </tr>
  );
}

export function Turns({ call }: { call: Call }) {
  const turns = call.turns.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box needs keyboard focus
    <section class="card turns" aria-labelledby="turns-title" tabIndex={0}>
      <header class="card-head">
        <h2 id="turns-title">Turns</h2>
        <p class="quiet">newest first; times in seconds after your last sound</p>
      </header>
      <ol data-testid="turns" reversed>
        {turns.map((turn) => <TurnView key={`${turn.agent} ${turn.record.turn}`} turn={turn} />).reverse()}
      </ol>
      {!turns.length && (
        <p class="empty quiet">
          Each reply appears here with the time of its stages: STT, end-of-turn detection, models and TTS.
        </p>
      )}
    </section>
  );
}

const OUTCOMES: Record<string, string> = {
  silent_kind: "no pre-response needed",
  answer_first: "answer just as fast",
  nothing_to_say: "no pre-response found",
  failed: "pre-response failed",
  inaudible: "cut off before a sound",
  undecided: "you continued speaking",
};

function TurnView({ turn: { record, browserGap } }: { turn: Turn }) {
  const outcome = OUTCOMES[record.preresponse_outcome ?? ""];
  return (
    <li class="turn" data-testid="turn" data-turn={record.turn}>
      <header>
        <div>
          <h3>Turn {record.turn}</h3>
          <p class="chips">
            {record.strategy && <span class="chip">{record.strategy}</span>}
            {record.interrupted && <span class="chip warning">interrupted</span>}
            {outcome && <span class="chip">{outcome}</span>}
          </p>
        </div>
        <dl class="gaps figures">
          <div>
            <dt>Response</dt>
            <dd>
              <span class="large" data-testid="response-gap">
                {seconds(record.response_gap)}
              </span>
              <small> s</small>
            </dd>
          </div>
          <div>
            <dt>Answer</dt>
            <dd>
              <span data-testid="answer-gap">{seconds(record.answer_gap)}</span>
              <small> s</small>
            </dd>
          </div>
          {browserGap !== null && (
            <div title="The response gap in the recording of this browser">
              <dt>In browser</dt>
              <dd>
                <span data-testid="heard-gap">{seconds(browserGap)}</span>
                <small> s</small>
              </dd>
            </div>
          )}
        </dl>
      </header>
      {record.caller && (
        <p class="quote" data-testid="turn-caller">
          {record.caller}
        </p>
      )}
      <WaterfallView waterfall={waterfall(record)} gap={record.response_gap} />
    </li>
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
            {Number(tick.toFixed(2))}
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
        {speech ? `at ${seconds(from)} s` : milliseconds(to - from)}
        <span class="hidden">
          , from {seconds(from)} to {seconds(to)} seconds
        </span>
      </span>
    </li>
  );
}

/** Usage and cost of the call, and its exports. */
export function UsageCard({ call }: { call: Call }) {
  const usage = call.usage.value;
  return (
    <section class="card usage" aria-labelledby="usage-title">
      <h2 id="usage-title">This call</h2>
      <dl class="figures" data-testid="usage">
        <Item name="Cost" value={usage ? dollars(usage.cost_usd) : "–"} id="cost" />
        <Item name="Prompt tokens" value={usage ? count(usage.prompt_tokens) : "–"} id="prompt-tokens" />
        <Item name="Completion tokens" value={usage ? count(usage.completion_tokens) : "–"} id="completion-tokens" />
        <Item name="Speech transcribed" value={usage ? `${Math.round(usage.stt_seconds)} s` : "–"} id="stt-seconds" />
        <Item name="Characters synthesised" value={usage ? count(usage.tts_characters) : "–"} id="tts-characters" />
      </dl>
      {call.agent.value?.writesMetrics === false && (
        <p class="quiet">The worker cannot write its metrics at present, so they do not include this call.</p>
      )}
      <Exports call={call} />
    </section>
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
