/** The connection of a call over LiveKit. */

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
import type { Agent, AgentState, Connect, Connection, Listener } from "./connection";
import {
  BACKCHANNEL_TOPIC,
  METRICS_ATTRIBUTE,
  PRERESPONSE_TOPIC,
  SET_STRATEGY,
  STRATEGY_ATTRIBUTE,
  TURN_TOPIC,
} from "./generated/topics";
import { type Problem, ProblemError, problem } from "./problems";

setLogLevel("warn");

const TRANSCRIPTION_TOPIC = "lk.transcription";
const CHAT_TOPIC = "lk.chat";
const STATES: readonly string[] = ["initializing", "listening", "thinking", "speaking"] satisfies AgentState[];

export const connect: Connect = async (session, listener) => {
  const room = new Room();
  forwardText(room, listener);
  forwardEvents(room, listener);
  playAgent(room, listener);
  try {
    await room.connect(session.url, session.token);
  } catch (error) {
    throw new ProblemError(connectionProblem(error, session));
  }
  // Registered after connecting, because a failed attempt to join emits Disconnected too.
  room.on(RoomEvent.Disconnected, (reason) => {
    if (reason !== DisconnectReason.CLIENT_INITIATED) listener.onEnded(disconnectProblem(reason));
  });
  listener.onAgent(agentOf(room));
  return new LiveKitConnection(room);
};

class LiveKitConnection implements Connection {
  private microphone: LocalAudioTrack | null = null;

  constructor(private readonly room: Room) {}

  async publishMicrophone(track: MediaStreamTrack): Promise<void> {
    if (this.microphone) {
      await this.microphone.replaceTrack(track, { userProvidedTrack: true });
    } else {
      this.microphone = new LocalAudioTrack(track, undefined, true);
      await this.room.localParticipant.publishTrack(this.microphone, { source: Track.Source.Microphone });
    }
  }

  async setMuted(muted: boolean): Promise<void> {
    await (muted ? this.microphone?.mute() : this.microphone?.unmute());
  }

  async sendText(text: string): Promise<void> {
    await this.room.localParticipant.sendText(text, { topic: CHAT_TOPIC });
  }

  async setStrategy(name: string): Promise<string> {
    const destinationIdentity = agentParticipant(this.room)?.identity ?? "";
    return this.room.localParticipant.performRpc({ destinationIdentity, method: SET_STRATEGY, payload: name });
  }

  async startAudio(): Promise<void> {
    await this.room.startAudio();
  }

  async disconnect(): Promise<void> {
    await this.room.disconnect();
  }
}

function forwardText(room: Room, listener: Listener): void {
  room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, async (reader, { identity }) => {
    if (identity !== room.localParticipant.identity && !isAgent(room, identity)) return;
    const attributes = reader.info.attributes ?? {};
    const who = identity === room.localParticipant.identity ? "caller" : "agent";
    const id = attributes["lk.segment_id"] ?? reader.info.id;
    let text = "";
    await ignoreBrokenStream(async () => {
      for await (const chunk of reader) {
        text += chunk;
        listener.onSegment({ who, id, text, final: attributes["lk.transcription_final"] === "true" });
      }
    });
  });
  for (const topic of [TURN_TOPIC, PRERESPONSE_TOPIC, BACKCHANNEL_TOPIC])
    room.registerTextStreamHandler(topic, async (reader, { identity }) => {
      if (!isAgent(room, identity)) return;
      await ignoreBrokenStream(async () => listener.onMessage(topic, await reader.readAll()));
    });
}

/** Another participant of the room must not be able to put words into the agent's mouth. */
function isAgent(room: Room, identity: string): boolean {
  return room.remoteParticipants.get(identity)?.kind === ParticipantKind.AGENT;
}

/** Ignore the error of a stream whose sender leaves before its end; the departure is an event of its own. */
async function ignoreBrokenStream(read: () => Promise<void>): Promise<void> {
  await read().catch(() => undefined);
}

function forwardEvents(room: Room, listener: Listener): void {
  const updateAgent = () => listener.onAgent(agentOf(room));
  room.on(RoomEvent.ParticipantConnected, updateAgent);
  room.on(RoomEvent.ParticipantDisconnected, updateAgent);
  room.on(RoomEvent.ParticipantAttributesChanged, updateAgent);
  room.on(RoomEvent.ConnectionStateChanged, (state) => {
    if (state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting)
      listener.onConnectionState("reconnecting");
    if (state === ConnectionState.Connected) {
      listener.onConnectionState("connected");
      updateAgent();
    }
  });
  room.on(RoomEvent.AudioPlaybackStatusChanged, () => listener.onAudioBlocked(!room.canPlaybackAudio));
}

function playAgent(room: Room, listener: Listener): void {
  const players = new Map<RemoteTrack, HTMLMediaElement>();
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== Track.Kind.Audio) return;
    const player = track.attach();
    player.dataset.testid = "agent-audio";
    document.body.append(player);
    players.set(track, player);
    listener.onAgentTrack(track.mediaStreamTrack);
  });
  room.on(RoomEvent.TrackUnsubscribed, (track) => {
    players.get(track)?.remove();
    if (players.delete(track) && !players.size) listener.onAgentTrack(null);
  });
  room.on(RoomEvent.Disconnected, () => {
    for (const player of players.values()) player.remove();
    players.clear();
  });
}

function agentParticipant(room: Room): RemoteParticipant | undefined {
  return [...room.remoteParticipants.values()].find((participant) => participant.kind === ParticipantKind.AGENT);
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
    writesMetrics: attributes[METRICS_ATTRIBUTE] !== "not written",
  };
}

function connectionProblem(error: unknown, session: Session): Problem {
  const advice = `Check that the LiveKit server at ${session.url} is running and can be reached from here.`;
  if (!(error instanceof ConnectionError)) return problem("server-unreachable", { advice });
  if (error.reason === ConnectionErrorReason.NotAllowed)
    return problem("token-refused", {
      title: "The LiveKit server refused this page's token.",
      advice:
        "The LiveKit key and secret of this page are probably not those of the server. Contact the operator of this page.",
    });
  if (error.reason === ConnectionErrorReason.InternalError)
    return problem("server-unreachable", {
      title: "The server answers, but the audio connection fails.",
      advice:
        "Try again. If the problem persists, a firewall or proxy between you and the LiveKit server may block WebRTC.",
    });
  return problem("server-unreachable", { advice });
}

function disconnectProblem(reason: DisconnectReason | undefined): Problem {
  if (reason === DisconnectReason.ROOM_DELETED || reason === DisconnectReason.PARTICIPANT_REMOVED)
    return problem("disconnected", { title: "The agent or the server ended the call." });
  if (reason === DisconnectReason.DUPLICATE_IDENTITY)
    return problem("disconnected", { title: "The call continues in another window." });
  return problem("disconnected");
}
