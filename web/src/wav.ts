/** Return a WAV file of interleaved 16-bit samples. */
export function wav(parts: readonly (Blob | Int16Array<ArrayBuffer>)[], rate: number, channels: number): Blob {
  const bytes = parts.reduce((sum, part) => sum + (part instanceof Blob ? part.size : part.byteLength), 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at: number, value: string) => {
    for (const [index, letter] of [...value].entries()) header.setUint8(at + index, letter.charCodeAt(0));
  };
  text(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, channels, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * channels * 2, true);
  header.setUint16(32, channels * 2, true);
  header.setUint16(34, 16, true);
  text(36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header.buffer, ...parts], { type: "audio/wav" });
}
