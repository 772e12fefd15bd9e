/** The caller's microphones. */

import { microphoneProblem, ProblemError, problem } from "./problems";

export interface Microphone {
  id: string;
  label: string;
}

/** Asks the browser, which may ask the person. `id` is empty for the default one. */
export async function openMicrophone(id: string): Promise<MediaStreamTrack> {
  if (!navigator.mediaDevices)
    throw new ProblemError(
      problem("microphone-denied", {
        advice: "Browsers allow it only on https:// and on localhost: open this page there. You can also type.",
      }),
    );
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    const audio = id ? { ...wanted, deviceId: { exact: id } } : wanted;
    const [track] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
    if (!track) throw new ProblemError(problem("no-microphone"));
    return track;
  } catch (error) {
    throw error instanceof ProblemError ? error : new ProblemError(microphoneProblem(error));
  }
}

/** Without names until the microphone has been allowed once. */
export async function listMicrophones(): Promise<Microphone[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId && device.deviceId !== "default")
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Microphone ${index + 1}` }));
}

/** Returns what stops it. */
export function onMicrophonesChanged(then: () => void): () => void {
  navigator.mediaDevices?.addEventListener("devicechange", then);
  return () => navigator.mediaDevices?.removeEventListener("devicechange", then);
}
