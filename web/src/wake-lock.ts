/** Screen wake lock: a phone that goes to sleep stops the microphone. */

import { effect, type ReadonlySignal } from "@preact/signals";
import type { Phase } from "./call";

/** Keep the screen on during a call; return a function that stops this. */
export function keepAwake(phase: ReadonlySignal<Phase>): () => void {
  let lock: WakeLockSentinel | null = null;
  const update = async () => {
    const needed = phase.value === "on" && document.visibilityState === "visible";
    if (needed && !lock) {
      // The browser may not support it, or refuse it to save the battery.
      lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
      lock?.addEventListener("release", () => {
        lock = null; // the browser releases it when the page is hidden
      });
      if (phase.value !== "on") await lock?.release();
    } else if (!needed) {
      await lock?.release();
    }
  };
  document.addEventListener("visibilitychange", update);
  const stop = effect(() => {
    void phase.value;
    void update();
  });
  return () => {
    document.removeEventListener("visibilitychange", update);
    stop();
  };
}
