/** The call over LiveKit. */

import {
  ConnectionError,
  ConnectionErrorReason,
  ConnectionState,
  DisconnectReason,
  LocalAudioTrack,
  ParticipantKind,
  type RemoteParticipant,
  type RemoteTrack,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from "livekit-client";
import type { Session } from "./api";
import { METRICS_ATTRIBUTE, PRERESPONSE_TOPIC, SET_STRATEGY, STRATEGY_ATTRIBUTE, TURN_TOPIC } from "./generated/topics";
import type { Agent, AgentState, Connect, Link, Listener } from "./link";
import { type Problem, ProblemError, problem } from "./problems";

setLogLevel("warn");

const TRANSCRIPTION_TOPIC = "lk.transcription";
const CHAT_TOPIC = "lk.chat";
const STATES: readonly string[] = ["initializing", "listening", "thinking", "speaking"] satisfies AgentState[];

export const connect: Connect = async (session, listener) => {
  const room = new Room();
  passOnText(room, listener);
  passOnEvents(room, listener);
  playAgent(room, listener);
  try {
    await room.connect(session.url, session.token);
  } catch (error) {
    throw new ProblemError(connectionProblem(error, session));
  }
  // Not before: a room that could not be joined is disconnected too.
  room.on(RoomEvent.Disconnected, (reason) => {
    if (reason !== DisconnectReason.CLIENT_INITIATED) listener.ended(endOf(reason));
  });
  listener.agent(agentOf(room));
  return new LiveKitLink(room);
};

class LiveKitLink implements Link {
  private microphone: LocalAudioTrack | null = null;

  constructor(private readonly room: Room) {}

  async speak(track: MediaStreamTrack): Promise<void> {
    if (this.microphone) {
      await this.microphone.replaceTrack(track, { userProvidedTrack: true });
    } else {
      this.microphone = new LocalAudioTrack(track, undefined, true);
      await this.room.localParticipant.publishTrack(this.microphone, { source: Track.Source.Microphone });
    }
  }

  async mute(muted: boolean): Promise<void> {
    await (muted ? this.microphone?.mute() : this.microphone?.unmute());
  }

  async type(text: string): Promise<void> {
    await this.room.localParticipant.sendText(text, { topic: CHAT_TOPIC });
  }

  async chooseStrategy(name: string): Promise<string> {
    const destinationIdentity = agentParticipant(this.room)?.identity ?? "";
    return this.room.localParticipant.performRpc({ destinationIdentity, method: SET_STRATEGY, payload: name });
  }

  async playSound(): Promise<void> {
    await this.room.startAudio();
  }

  async hangUp(): Promise<void> {
    await this.room.disconnect();
  }
}

function passOnText(room: Room, listener: Listener): void {
  room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, async (reader, { identity }) => {
    const attributes = reader.info.attributes ?? {};
    const who = identity === room.localParticipant.identity ? "caller" : "agent";
    const id = attributes["lk.segment_id"] ?? reader.info.id;
    let text = "";
    await untilBrokenOff(async () => {
      for await (const chunk of reader) {
        text += chunk;
        listener.segment({ who, id, text, final: attributes["lk.transcription_final"] === "true" });
      }
    });
  });
  for (const topic of [TURN_TOPIC, PRERESPONSE_TOPIC])
    room.registerTextStreamHandler(topic, (reader) =>
      untilBrokenOff(async () => listener.message(topic, await reader.readAll())),
    );
}

/** A sender may be gone in the middle of a text: what came of it is shown, and that it is gone is known otherwise. */
async function untilBrokenOff(read: () => Promise<void>): Promise<void> {
  await read().catch(() => undefined);
}

function passOnEvents(room: Room, listener: Listener): void {
  const lookForAgent = () => listener.agent(agentOf(room));
  room.on(RoomEvent.ParticipantConnected, lookForAgent);
  room.on(RoomEvent.ParticipantDisconnected, lookForAgent);
  room.on(RoomEvent.ParticipantAttributesChanged, lookForAgent);
  room.on(RoomEvent.ConnectionStateChanged, (state) => {
    if (state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting)
      listener.connection("reconnecting");
    if (state === ConnectionState.Connected) {
      listener.connection("connected");
      lookForAgent();
    }
  });
  room.on(RoomEvent.AudioPlaybackStatusChanged, () => listener.soundBlocked(!room.canPlaybackAudio));
}

function playAgent(room: Room, listener: Listener): void {
  const players = new Map<RemoteTrack, HTMLMediaElement>();
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== Track.Kind.Audio) return;
    const player = track.attach();
    player.dataset.testid = "agent-audio";
    document.body.append(player);
    players.set(track, player);
    listener.voice(track.mediaStreamTrack);
  });
  room.on(RoomEvent.TrackUnsubscribed, (track) => {
    players.get(track)?.remove();
    if (players.delete(track) && !players.size) listener.voice(null);
  });
  room.on(RoomEvent.Disconnected, () => {
    for (const player of players.values()) player.remove();
    players.clear();
  });
}

function agentParticipant(room: Room): RemoteParticipant | undefined {
  return [...room.remoteParticipants.values()].find((other) => other.kind === ParticipantKind.AGENT);
}

function agentOf(room: Room): Agent | null {
  const participant = agentParticipant(room);
  if (!participant) return null;
  const { identity, attributes } = participant;
  const state = attributes["lk.agent.state"] ?? "";
  return {
    identity,
    state: STATES.includes(state) ? (state as AgentState) : "initializing",
    strategy: attributes[STRATEGY_ATTRIBUTE] ?? null,
    measured: attributes[METRICS_ATTRIBUTE] !== "not written",
  };
}

function connectionProblem(error: unknown, session: Session): Problem {
  const advice = `Check that the LiveKit server at ${session.url} is running and can be reached from here.`;
  if (!(error instanceof ConnectionError)) return problem("server-unreachable", { advice });
  if (error.reason === ConnectionErrorReason.NotAllowed)
    return problem("token-refused", {
      title: "The LiveKit server refused this page's token.",
      advice: "The page's LiveKit key and secret are probably not the server's: tell whoever runs this page.",
    });
  if (error.reason === ConnectionErrorReason.InternalError)
    return problem("server-unreachable", {
      title: "The server answers, but the sound of the call does not get through.",
      advice: "Try again. If it stays so, a firewall or proxy between you and the LiveKit server may block WebRTC.",
    });
  return problem("server-unreachable", { advice });
}

function endOf(reason: DisconnectReason | undefined): Problem {
  if (reason === DisconnectReason.ROOM_DELETED || reason === DisconnectReason.PARTICIPANT_REMOVED)
    return problem("disconnected", { title: "The call was ended by the other side." });
  if (reason === DisconnectReason.DUPLICATE_IDENTITY)
    return problem("disconnected", { title: "The call goes on in another window." });
  return problem("disconnected");
}
