/** Audio worklet: sends interleaved samples of both inputs to the page every 40 ms (at 48 kHz). */

/** Blocks of 128 samples in a message. */
const BLOCKS_PER_MESSAGE = 15;

class Recorder extends AudioWorkletProcessor {
  private samples = new Int16Array(0);
  private filled = 0;

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const size = outputs[0]?.[0]?.length ?? 128;
    if (!this.samples.length) this.samples = new Int16Array(2 * size * BLOCKS_PER_MESSAGE);
    const caller = inputs[0]?.[0];
    const agent = inputs[1]?.[0];
    for (let index = 0; index < size; index += 1) {
      this.samples[this.filled++] = toInt16(caller?.[index] ?? 0);
      this.samples[this.filled++] = toInt16(agent?.[index] ?? 0);
    }
    if (this.filled >= this.samples.length) {
      this.port.postMessage(this.samples, [this.samples.buffer]);
      this.samples = new Int16Array(0);
      this.filled = 0;
    }
    return true;
  }
}

function toInt16(sample: number): number {
  return Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
}

registerProcessor("recorder", Recorder);
