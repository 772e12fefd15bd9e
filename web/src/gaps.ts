/**
 * The response gap as it was heard here: from the end of the caller's last sound to the agent's first, in the recording.
 *
 * What is a sound is told as in `caller/audio.py` and `agent_worker/hearing.py`, which measure the same elsewhere.
 */

/** Decibels of full scale: above this sound begins in a quiet room, and 5 dB lower it ends. */
const SILENCE = -50;
const BEGINS_ABOVE = 5;
/** A microphone is not quiet: sound is so much louder than the noise, but a voice is never taken for noise. */
const ABOVE_NOISE = 6;
const LOUDEST_NOISE = -35;
/** Windows of 10 ms in a row: a click is shorter. */
const CONFIRMED_BY = 3;
/** Seconds of silence between two sounds; pauses inside words are shorter. */
const SPLIT = 0.2;
/** How far from where the record puts it a reply may begin, seconds. */
const TOLERANCE = 1.5;

interface Sound {
  start: number;
  end: number;
}

/** The sounds of one side. */
export class Ear {
  readonly sounds: Sound[] = [];
  private readonly levels: number[] = [];
  private loud = 0;
  private onset = 0;

  /** `at` is the instant of the window's first sample. */
  push(window: Float32Array, at: number, rate: number): number {
    const level = decibels(window);
    this.levels.push(level);
    if (this.levels.length > 1000) this.levels.shift();
    const ends = this.limit();
    const threshold = this.loud ? ends : ends + BEGINS_ABOVE;
    if (level < threshold) {
      this.loud = 0;
      return level;
    }
    const peak = 10 ** (threshold / 20);
    const first = window.findIndex((sample) => Math.abs(sample) >= peak);
    const last = window.findLastIndex((sample) => Math.abs(sample) >= peak);
    this.loud += 1;
    if (this.loud === 1) this.onset = at + first / rate;
    this.sounding(at + (last + 1) / rate);
    return level;
  }

  private sounding(end: number): void {
    const sound = this.sounds.at(-1);
    if (sound && this.onset - sound.end < SPLIT) sound.end = end;
    else if (this.loud >= CONFIRMED_BY) this.sounds.push({ start: this.onset, end });
  }

  private limit(): number {
    const sampled = this.levels.filter((_, index) => index % 10 === 0).sort((a, b) => a - b);
    const noise = sampled[Math.floor(sampled.length / 10)] ?? SILENCE;
    return Math.min(Math.max(noise + ABOVE_NOISE, SILENCE), LOUDEST_NOISE);
  }
}

export class GapMeter {
  private readonly caller = new Ear();
  private readonly agent = new Ear();
  private readonly size: number;
  private rest = new Int16Array(0);
  private time = 0;

  constructor(private readonly rate: number) {
    this.size = Math.round(rate / 100);
  }

  /** Takes interleaved samples; returns how loud both sides are, 0 to 1. */
  push(samples: Int16Array): { caller: number; agent: number } {
    const all = new Int16Array(this.rest.length + samples.length);
    all.set(this.rest);
    all.set(samples, this.rest.length);
    const loudest = { caller: -100, agent: -100 };
    let done = 0;
    for (; done + 2 * this.size <= all.length; done += 2 * this.size) {
      const window = all.subarray(done, done + 2 * this.size);
      loudest.caller = Math.max(loudest.caller, this.caller.push(side(window, 0), this.time, this.rate));
      loudest.agent = Math.max(loudest.agent, this.agent.push(side(window, 1), this.time, this.rate));
      this.time += this.size / this.rate;
    }
    this.rest = all.slice(done);
    return { caller: loudness(loudest.caller), agent: loudness(loudest.agent) };
  }

  /** Of the reply that ended just now and took `duration` seconds; `null` if none is to be heard there. */
  gapOfReply(duration: number): number | null {
    const expected = this.time - duration;
    const off = (reply: Sound) => Math.abs(reply.start - expected);
    const reply = this.replies().reduce<{ start: number; gap: number; end: number } | null>(
      (best, next) => (!best || off(next) < off(best) ? next : best),
      null,
    );
    return reply && off(reply) <= TOLERANCE ? reply.gap : null;
  }

  /** The agent's first sounds after one of the caller's. */
  private replies(): (Sound & { gap: number })[] {
    const replies: (Sound & { gap: number })[] = [];
    let before = 0;
    for (const sound of this.agent.sounds) {
      const asked = this.caller.sounds.findLast((one) => one.end <= sound.start);
      if (asked && asked.end > before) replies.push({ ...sound, gap: sound.start - asked.end });
      before = sound.end;
    }
    return replies;
  }
}

function side(samples: Int16Array, channel: number): Float32Array {
  return Float32Array.from({ length: samples.length / 2 }, (_, index) => (samples[2 * index + channel] ?? 0) / 32768);
}

function decibels(window: Float32Array): number {
  const power = window.reduce((sum, sample) => sum + sample * sample, 0) / window.length;
  return 10 * Math.log10(power + 1e-10);
}

/** For a meter: -60 dB is nothing, -10 dB is full. */
function loudness(level: number): number {
  return Math.min(Math.max((level + 60) / 50, 0), 1);
}
