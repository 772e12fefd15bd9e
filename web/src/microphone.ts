/** The caller's microphones. */

import { microphoneProblem, ProblemError, problem } from "./problems";

export interface Microphone {
  id: string;
  label: string;
}

/** Open a microphone, after the browser has asked the caller for permission. An empty `id` is the default one. */
export async function openMicrophone(id: string): Promise<MediaStreamTrack> {
  if (!navigator.mediaDevices)
    throw new ProblemError(
      problem("microphone-denied", {
        advice: "Browsers allow it only on https:// and on localhost. You can also type to the agent.",
      }),
    );
  const processing = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    const audio = id ? { ...processing, deviceId: { exact: id } } : processing;
    const [track] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
    if (!track) throw new ProblemError(problem("no-microphone"));
    return track;
  } catch (error) {
    throw error instanceof ProblemError ? error : new ProblemError(microphoneProblem(error));
  }
}

/** List the microphones; their labels are unknown until the caller has allowed one. */
export async function listMicrophones(): Promise<Microphone[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId && device.deviceId !== "default")
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Microphone ${index + 1}` }));
}

/** Call `handler` when a microphone is added or removed; return a function that stops this. */
export function onMicrophonesChanged(handler: () => void): () => void {
  navigator.mediaDevices?.addEventListener("devicechange", handler);
  return () => navigator.mediaDevices?.removeEventListener("devicechange", handler);
}
