import "./style.css";
import { render } from "preact";
import { fetchSession } from "./api";
import { App } from "./app";
import { Call } from "./call";
import { connect } from "./livekit";
import { openMicrophone } from "./microphone";
import { Recorder } from "./recorder";
import { keepAwake } from "./wake-lock";

const call = new Call({ fetchSession, openMicrophone, connect, startRecorder: Recorder.start });
keepAwake(call.phase);
const page = document.getElementById("page");
if (page) render(<App call={call} />, page);
