import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepAwake } from "../src/awake";
import type { Phase } from "../src/call";

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

test("the screen stays on while a call is on, and not after it", async () => {
  await settled();
  expect(locks).toHaveLength(0);
  phase.value = "on";
  await settled();
  expect(locks).toHaveLength(1);
  phase.value = "ended";
  await settled();
  expect(locks[0]?.release).toHaveBeenCalledOnce();
});

test("a page that was hidden in a call and is shown again keeps the screen on again", async () => {
  phase.value = "on";
  await settled();
  await locks[0]?.release();
  document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(locks).toHaveLength(2);
});

test("a browser that knows no such thing has calls all the same", async () => {
  Object.defineProperty(navigator, "wakeLock", { value: undefined, configurable: true });
  phase.value = "on";
  await settled();
  expect(locks).toHaveLength(0);
});
