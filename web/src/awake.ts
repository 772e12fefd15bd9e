/** A phone that goes to sleep takes the microphone away. */

import { effect, type ReadonlySignal } from "@preact/signals";
import type { Phase } from "./call";

/** Keep the screen on while a call is. Returns what undoes it. */
export function keepAwake(phase: ReadonlySignal<Phase>): () => void {
  let lock: WakeLockSentinel | null = null;
  const look = async () => {
    const wanted = phase.value === "on" && document.visibilityState === "visible";
    if (wanted && !lock) {
      // Refused to save the battery, or unknown to the browser: the call goes on.
      lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
      lock?.addEventListener("release", () => {
        lock = null; // as when the page is hidden
      });
      if (phase.value !== "on") await lock?.release();
    } else if (!wanted) {
      await lock?.release();
    }
  };
  document.addEventListener("visibilitychange", look);
  const stop = effect(() => {
    void phase.value;
    void look();
  });
  return () => {
    document.removeEventListener("visibilitychange", look);
    stop();
  };
}
