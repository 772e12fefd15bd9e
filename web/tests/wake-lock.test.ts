import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Phase } from "../src/call";
import { keepAwake } from "../src/wake-lock";

const settled = () => new Promise((resolve) => setTimeout(resolve));

class Lock extends EventTarget {
  release = vi.fn(async () => {
    this.dispatchEvent(new Event("release"));
  });
}

let locks: Lock[] = [];
let undo = () => {};
const phase = signal<Phase>("idle");

beforeEach(() => {
  locks = [];
  phase.value = "idle";
  const request = async () => {
    const lock = new Lock();
    locks.push(lock);
    return lock;
  };
  Object.defineProperty(navigator, "wakeLock", { value: { request }, configurable: true });
  undo = keepAwake(phase);
});

afterEach(() => undo());

test("the screen stays on during a call and not after it", async () => {
  await settled();
  expect(locks).toHaveLength(0);
  phase.value = "on";
  await settled();
  expect(locks).toHaveLength(1);
  phase.value = "ended";
  await settled();
  expect(locks[0]?.release).toHaveBeenCalledOnce();
});

test("a page that is shown again during a call requests the lock again", async () => {
  phase.value = "on";
  await settled();
  await locks[0]?.release();
  document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(locks).toHaveLength(2);
});

test("a call works in a browser without wake locks", async () => {
  Object.defineProperty(navigator, "wakeLock", { value: undefined, configurable: true });
  phase.value = "on";
  await settled();
  expect(locks).toHaveLength(0);
});
