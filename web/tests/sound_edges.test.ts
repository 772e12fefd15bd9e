import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MICROPHONE, NOISE_HISTORY_BLOCKS, SoundDetector } from "../src/gaps";

interface Vectors {
  microphone: Record<string, number>;
  noise_history_blocks: number;
  sample_rate: number;
  hertz: number;
  cases: { name: string; parts: [number, number | null][]; sounds: [number, number][] }[];
}

/** `tests/agent_worker/test_sound_edges.py` checks the same. */
const vectors: Vectors = JSON.parse(readFileSync("../tests/sound_edges.json", "utf-8"));
const rate = vectors.sample_rate;

/** Tones of these lengths and RMS levels; `null` is digital silence. */
function clip(parts: [number, number | null][]): Float32Array {
  const samples = parts.flatMap(([seconds, dbfs]) => {
    const amplitude = dbfs === null ? 0 : 10 ** (dbfs / 20) * Math.SQRT2;
    const sample = (_: unknown, index: number) => amplitude * Math.sin((2 * Math.PI * vectors.hertz * index) / rate);
    return Array.from({ length: Math.round(seconds * rate) }, sample);
  });
  return Float32Array.from(samples);
}

test("the parameters are those of the vectors", () => {
  const { margin_before_s, margin_after_s, ...parameters } = vectors.microphone;
  const camelCase = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  expect(MICROPHONE).toEqual(
    Object.fromEntries(Object.entries(parameters).map(([name, value]) => [camelCase(name), value])),
  );
  expect([margin_before_s, margin_after_s]).toEqual([0, 0]);
  expect(NOISE_HISTORY_BLOCKS).toBe(vectors.noise_history_blocks);
});

test.each(vectors.cases)("sounds are found where the vectors say: $name", ({ parts, sounds }) => {
  const detector = new SoundDetector(rate);
  const samples = clip(parts);
  const size = Math.floor(rate / 100);
  for (let start = 0; start < samples.length; start += size) {
    detector.push(samples.subarray(start, start + size), start / rate);
  }
  expect(detector.sounds).toHaveLength(sounds.length);
  for (const [index, [start, end]] of sounds.entries()) {
    expect(detector.sounds[index]?.start).toBeCloseTo(start, 2);
    expect(detector.sounds[index]?.end).toBeCloseTo(end, 2);
  }
});
