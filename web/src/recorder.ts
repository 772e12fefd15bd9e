/** Recording of the call in the browser: the caller on the left channel, the agent on the right. */

import { GapMeter } from "./gaps";
import { type Levels, loudness } from "./levels";
import workletUrl from "./recorder.worklet?worker&url";
import { wav } from "./wav";

/** Samples of both channels (10 s). More are moved to a Blob, which the browser may keep on disk. */
const MAX_SAMPLES_IN_MEMORY = 2 * 48_000 * 10;

const INPUTS = { caller: 0, agent: 1 } as const;
type Side = keyof typeof INPUTS;

export class Recorder {
  private readonly sources = new Map<Side, MediaStreamAudioSourceNode>();
  private readonly analysers: Record<Side, AnalyserNode>;
  private readonly samples: Float32Array<ArrayBuffer>;
  private readonly meter: GapMeter;
  private node: AudioWorkletNode | null = null;
  private stored: Blob[] = [];
  private recent: Int16Array<ArrayBuffer>[] = [];
  private recentSamples = 0;

  private constructor(private readonly context: AudioContext) {
    this.meter = new GapMeter(context.sampleRate);
    this.analysers = { caller: context.createAnalyser(), agent: context.createAnalyser() };
    this.samples = new Float32Array(this.analysers.caller.fftSize);
  }

  static async start(): Promise<Recorder> {
    const recorder = new Recorder(new AudioContext({ latencyHint: "interactive" }));
    await recorder.prepare();
    return recorder;
  }

  private async prepare(): Promise<void> {
    await this.context.audioWorklet.addModule(workletUrl);
    this.node = new AudioWorkletNode(this.context, "recorder", {
      numberOfInputs: 2,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.node.port.onmessage = ({ data }: MessageEvent<Int16Array<ArrayBuffer>>) => this.append(data);
    this.node.connect(this.context.destination); // silent output; an unconnected node processes nothing
    void this.context.resume();
  }

  setCallerTrack(track: MediaStreamTrack | null): void {
    this.connectInput("caller", track);
  }

  setAgentTrack(track: MediaStreamTrack | null): void {
    this.connectInput("agent", track);
  }

  /** Return the response gap, in seconds, of the reply that has just ended and took `duration` seconds. */
  gapOfReply(duration: number): number | null {
    return this.meter.gapOfReply(duration);
  }

  /** Take note of a listener's sound of the agent, which begins now and is no reply. */
  addBackchannel(seconds: number): void {
    this.meter.addBackchannel(seconds);
  }

  /** Return the loudness of the last 43 ms (at 48 kHz). */
  levels(): Levels {
    return { caller: this.level("caller"), agent: this.level("agent") };
  }

  stop(): void {
    for (const source of this.sources.values()) source.disconnect();
    this.node?.disconnect();
    this.node?.port.close();
    void this.context.close();
  }

  wav(): Blob {
    return wav([...this.stored, ...this.recent], this.context.sampleRate, 2);
  }

  private level(side: Side): number {
    if (!this.sources.has(side)) return 0;
    this.analysers[side].getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  private connectInput(side: Side, track: MediaStreamTrack | null): void {
    this.sources.get(side)?.disconnect();
    this.sources.delete(side);
    if (!track || !this.node || this.context.state === "closed") return;
    const source = this.context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.node, 0, INPUTS[side]);
    source.connect(this.analysers[side]);
    this.sources.set(side, source);
  }

  private append(samples: Int16Array<ArrayBuffer>): void {
    this.recent.push(samples);
    this.recentSamples += samples.length;
    if (this.recentSamples >= MAX_SAMPLES_IN_MEMORY) {
      this.stored.push(new Blob(this.recent));
      this.recent = [];
      this.recentSamples = 0;
    }
    this.meter.push(samples);
  }
}
