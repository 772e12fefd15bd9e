/** Recording of the call in the browser: the caller on the left channel, the agent on the right. */

import { GapMeter } from "./gaps";
import workletUrl from "./recorder.worklet?worker&url";
import { wav } from "./wav";

/** Samples of both channels (10 s). More are moved to a Blob, which the browser may keep on disk. */
const MAX_SAMPLES_IN_MEMORY = 2 * 48_000 * 10;

/** Loudness, 0 to 1. */
export interface Levels {
  caller: number;
  agent: number;
}

export class Recorder {
  private readonly sources = new Map<number, MediaStreamAudioSourceNode>();
  private readonly meter: GapMeter;
  private node: AudioWorkletNode | null = null;
  private stored: Blob[] = [];
  private recent: Int16Array<ArrayBuffer>[] = [];
  private recentSamples = 0;

  private constructor(
    private readonly context: AudioContext,
    private readonly onLevels: (levels: Levels) => void,
  ) {
    this.meter = new GapMeter(context.sampleRate);
  }

  static async start(onLevels: (levels: Levels) => void): Promise<Recorder> {
    const recorder = new Recorder(new AudioContext({ latencyHint: "interactive" }), onLevels);
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
    this.connectInput(0, track);
  }

  setAgentTrack(track: MediaStreamTrack | null): void {
    this.connectInput(1, track);
  }

  /** Return the response gap, in seconds, of the reply that has just ended and took `duration` seconds. */
  gapOfReply(duration: number): number | null {
    return this.meter.gapOfReply(duration);
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

  private connectInput(input: number, track: MediaStreamTrack | null): void {
    this.sources.get(input)?.disconnect();
    this.sources.delete(input);
    if (!track || !this.node || this.context.state === "closed") return;
    const source = this.context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.node, 0, input);
    this.sources.set(input, source);
  }

  private append(samples: Int16Array<ArrayBuffer>): void {
    this.recent.push(samples);
    this.recentSamples += samples.length;
    if (this.recentSamples >= MAX_SAMPLES_IN_MEMORY) {
      this.stored.push(new Blob(this.recent));
      this.recent = [];
      this.recentSamples = 0;
    }
    this.onLevels(this.meter.push(samples));
  }
}
