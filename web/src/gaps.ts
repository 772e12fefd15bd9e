/**
 * The response gap as it was received here: from the end of the caller's last sound to the agent's first, in the recording.
 *
 * Sounds are found as in `agent_worker/audio/sound_edges.py`, which describes the algorithm and explains the numbers.
 * `tests/sound_edges.json` holds the parameters and the vectors that both are tested against.
 */

/** Levels are RMS in dBFS over 10 ms. */
export const MICROPHONE = {
  endDbfs: -50,
  startAboveDb: 5,
  minBlocks: 3,
  minGapS: 0.2,
  aboveNoiseDb: 6,
  maxEndDbfs: -35,
};
export const NOISE_HISTORY_BLOCKS = 1000;
const NOISE_STRIDE_BLOCKS = 10;
/** The tenth part of the levels is the noise floor or quieter. */
const NOISE_RANK = 10;
const MIN_POWER = 1e-10;

/** How far from where the record puts it a reply may begin. */
const TOLERANCE_S = 1.5;

/**
 * Where the sound that the agent announces as a listener's sound begins, around the arrival of the announcement, and by how
 * much the jitter buffer may stretch it. `caller/soft_backchannels.py` has the same numbers and the reasons.
 */
const BACKCHANNEL = { maxEarlyS: 0.3, maxLateS: 1, stretchS: 0.2 };

interface Sound {
  start: number;
  end: number;
}

interface Backchannel {
  /** When it was announced. */
  at: number;
  seconds: number;
}

/** Finds the sounds of one side in a stream of blocks of 10 ms, exact to the sample. */
export class SoundDetector {
  /** In order of time; the last one grows while it goes on. */
  readonly sounds: Sound[] = [];
  private readonly history: number[] = [];
  private blocks = 0;
  private sounding = false;
  private start = 0;

  constructor(private readonly sampleRate: number) {}

  /** Takes the next block, whose first sample is at the instant `at`. */
  push(block: Float32Array, at: number): void {
    const level = levelDbfs(block);
    this.history.push(level);
    if (this.history.length > NOISE_HISTORY_BLOCKS) this.history.shift();
    const threshold = this.endLevel() + (this.sounding ? 0 : MICROPHONE.startAboveDb);
    this.sounding = level >= threshold;
    if (!this.sounding) {
      this.blocks = 0;
      return;
    }
    const peak = block.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0);
    const isLoud = (sample: number) => Math.abs(sample) >= Math.min(10 ** (threshold / 20), peak);
    this.blocks += 1;
    if (this.blocks === 1) this.start = at + block.findIndex(isLoud) / this.sampleRate;
    this.extend(at + (block.findLastIndex(isLoud) + 1) / this.sampleRate);
  }

  private extend(end: number): void {
    const sound = this.sounds.at(-1);
    if (sound && this.start - sound.end < MICROPHONE.minGapS) sound.end = end;
    else if (this.blocks >= MICROPHONE.minBlocks) this.sounds.push({ start: this.start, end });
  }

  private endLevel(): number {
    const sampled = this.history.filter((_, index) => index % NOISE_STRIDE_BLOCKS === 0).sort((a, b) => a - b);
    const noise = sampled[Math.floor(sampled.length / NOISE_RANK)] ?? MICROPHONE.endDbfs;
    return Math.min(Math.max(noise + MICROPHONE.aboveNoiseDb, MICROPHONE.endDbfs), MICROPHONE.maxEndDbfs);
  }
}

export class GapMeter {
  private readonly caller: SoundDetector;
  private readonly agent: SoundDetector;
  private readonly size: number;
  private readonly backchannels: Backchannel[] = [];
  private rest = new Int16Array(0);
  private time = 0;

  constructor(private readonly rate: number) {
    this.size = Math.floor(rate / 100);
    this.caller = new SoundDetector(rate);
    this.agent = new SoundDetector(rate);
  }

  /** Takes interleaved samples. */
  push(samples: Int16Array): void {
    const all = new Int16Array(this.rest.length + samples.length);
    all.set(this.rest);
    all.set(samples, this.rest.length);
    let done = 0;
    for (; done + 2 * this.size <= all.length; done += 2 * this.size) {
      const window = all.subarray(done, done + 2 * this.size);
      this.caller.push(side(window, 0), this.time);
      this.agent.push(side(window, 1), this.time);
      this.time += this.size / this.rate;
    }
    this.rest = all.slice(done);
  }

  /** Takes note of a listener's sound that the agent announces now: it is no reply. */
  addBackchannel(seconds: number): void {
    this.backchannels.push({ at: this.time, seconds });
  }

  /** The gap before the reply that ended just now and took `duration` seconds; `null` if none is found there. */
  gapOfReply(duration: number): number | null {
    const expected = this.time - duration;
    const off = (reply: Sound) => Math.abs(reply.start - expected);
    const reply = this.replies().reduce<{ start: number; gap: number; end: number } | null>(
      (best, next) => (!best || off(next) < off(best) ? next : best),
      null,
    );
    return reply && off(reply) <= TOLERANCE_S ? reply.gap : null;
  }

  /** Return the first sound of the agent after each sound of the caller. */
  private replies(): (Sound & { gap: number })[] {
    const replies: (Sound & { gap: number })[] = [];
    let before = 0;
    for (const sound of this.backchannels.reduce(withoutBackchannel, this.agent.sounds)) {
      const callerSound = this.caller.sounds.findLast((spoken) => spoken.end <= sound.start);
      if (callerSound && callerSound.end > before) replies.push({ ...sound, gap: sound.start - callerSound.end });
      before = sound.end;
    }
    return replies;
  }
}

function withoutBackchannel(sounds: Sound[], { at, seconds }: Backchannel): Sound[] {
  const { maxEarlyS, maxLateS, stretchS } = BACKCHANNEL;
  const first = sounds.find(({ start }) => start >= at - maxEarlyS && start <= at + maxLateS);
  if (!first) return sounds;
  const end = first.start + seconds + stretchS;
  return sounds.filter((sound) => sound.start < first.start || sound.end > end);
}

function side(samples: Int16Array, channel: number): Float32Array {
  return Float32Array.from({ length: samples.length / 2 }, (_, index) => (samples[2 * index + channel] ?? 0) / 32768);
}

function levelDbfs(block: Float32Array): number {
  const power = block.reduce((sum, sample) => sum + sample * sample, 0) / block.length;
  return 10 * Math.log10(Math.max(power, MIN_POWER));
}
