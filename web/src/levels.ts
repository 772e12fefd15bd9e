/** How loud both sides of the call are. */

/** Loudness, 0 to 1. */
export interface Levels {
  caller: number;
  agent: number;
}

export const SILENCE: Levels = { caller: 0, agent: 0 };

/** A column of the picture covers this time. */
export const COLUMN_MS = 50;

/** A browser that is busy skips some columns; after a longer gap the page was hidden. */
const MAX_SKIPPED = 10;

const EMPTY_DBFS = -60;
const FULL_DBFS = -10;

/** Return the loudness of samples from -1 to 1: their RMS, linear in dB. */
export function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const dbfs = 10 * Math.log10(Math.max(power, 1e-10));
  return Math.min(Math.max((dbfs - EMPTY_DBFS) / (FULL_DBFS - EMPTY_DBFS), 0), 1);
}

/** The loudest levels of each period of `COLUMN_MS`, oldest first. */
export class LevelHistory {
  columns: Levels[] = [];
  private period: number | null = null;

  /**
   * Add what is heard at `now`, in milliseconds, and keep at most `capacity` columns.
   *
   * A few skipped columns are as loud as the next one; if there are more, they are silent. Returns whether there is a new
   * column.
   */
  add(now: number, levels: Levels, capacity: number): boolean {
    const period = Math.floor(now / COLUMN_MS);
    const missed = Math.min(this.period === null ? 1 : period - this.period, capacity);
    this.period = period;
    if (missed <= 0) {
      this.raiseLast(levels);
      return false;
    }
    const skipped = Array.from({ length: missed - 1 }, () => (missed > MAX_SKIPPED ? SILENCE : levels));
    this.columns = [...this.columns, ...skipped, levels].slice(-capacity);
    return true;
  }

  private raiseLast(levels: Levels): void {
    const last = this.columns.pop() ?? SILENCE;
    this.columns.push({ caller: Math.max(last.caller, levels.caller), agent: Math.max(last.agent, levels.agent) });
  }
}
