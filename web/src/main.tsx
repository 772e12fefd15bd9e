import "./style.css";
import { render } from "preact";
import { fetchSession } from "./api";
import { App } from "./app";
import { keepAwake } from "./awake";
import { Call } from "./call";
import { connect } from "./livekit";
import { openMicrophone } from "./microphone";
import { Recorder } from "./recorder";

const call = new Call({ fetchSession, openMicrophone, connect, record: (onLevels) => Recorder.start(onLevels) });
keepAwake(call.phase);
const page = document.getElementById("page");
if (page) render(<App call={call} />, page);
