"""Settings of both stacks: names, types, defaults, checks and descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AnyUrl,
    BeforeValidator,
    Field,
    GetPydanticSchema,
    SecretStr,
    StringConstraints,
    UrlConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent_worker.core.language_tag import MULTI, canonical_tag

DEFAULT_SYSTEM_PROMPT = (
    "You are a friendly assistant on a phone call. Answer in one to three short spoken sentences. "
    "Never use lists, markdown, emoji or anything that cannot be read aloud."
)


def _without_credentials(url: AnyUrl) -> str:
    if url.username or url.password:
        raise ValueError("an address is shown in logs and must not hold a user name or password")
    return str(url).rstrip("/")


def _checked_as_url(*schemes: str) -> GetPydanticSchema:
    """Validate as a URL; the value is a ``str``."""
    constraints = UrlConstraints(allowed_schemes=[*schemes], host_required=True)
    url = Annotated[AnyUrl, constraints, AfterValidator(_without_credentials)]
    return GetPydanticSchema(lambda _, handler: handler(url))


def _voices(value: object) -> object:
    """Read ``es=ef_dora,fr=ff_siwis``."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(language.strip() and voice.strip() for language, _, voice in pairs):
        raise ValueError("must be a list of languages and voices, such as es=ef_dora,fr=ff_siwis")
    return {canonical_tag(language): voice.strip() for language, _, voice in pairs}


def _list(value: object) -> object:
    """Read ``one,two``."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


TurnDetectorName = Literal["fused", "livekit-mini", "livekit-cloud", "smart-turn", "stt"]
StrategyName = Literal["llm", "phrase", "hybrid", "off"]
HttpUrl = Annotated[str, _checked_as_url("http", "https")]
LiveKitUrl = Annotated[str, _checked_as_url("ws", "wss", "http", "https")]
Secret = Annotated[SecretStr, Field(min_length=1)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
PhoneAddress = Annotated[str, StringConstraints(pattern=r"^(tel:\+?[0-9*#().-]+|sips?:[^\s@]+@[^\s@]+)$")]
ReasoningEffort = Literal["auto", "unset", "none", "minimal", "low", "medium", "high"]
MachineAction = Literal["hang_up", "leave_message", "talk"]
MenuAction = Literal["press_keys", "talk", "hang_up"]
TimeoutSeconds = Annotated[float, Field(gt=0, le=60)]
Port = Annotated[int, Field(ge=0, le=65535)]

#: Two minutes of speech; machines record less.
MAX_VOICEMAIL_CHARS = 2000
_FAST_MODEL = "The model that speaks first with `llm` and `hybrid`, and answers if the main model fails."


class FromEnvironment(BaseSettings):
    """Base of all settings: values come from the environment, and an empty value counts as unset.

    ``make reference`` writes the fields' descriptions to ``.env.example`` and ``docs/configuration.md``; the error for
    a missing value shows its description.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", str_strip_whitespace=True)


class LiveKitSettings(FromEnvironment):
    """The LiveKit server that carries the calls."""

    livekit_url: LiveKitUrl = Field(
        examples=["ws://localhost:7880"],
        description="Address of the LiveKit server, such as ws://localhost:7880 or wss://example.livekit.cloud.",
    )
    livekit_api_key: Text = Field(
        examples=["devkey"], description="API key of the LiveKit server; `livekit-server --dev` uses devkey."
    )
    livekit_api_secret: Secret = Field(
        examples=["secret"], description="API secret of the LiveKit server; `livekit-server --dev` uses secret."
    )
    agent_name: str = Field(
        default="",
        description="Empty: join every new room. A name: join only rooms that request an agent of this name.",
    )


class WorkerUrlSettings(FromEnvironment):
    """Where page and call guard ask the workers how many more calls they take."""

    worker_urls: Annotated[tuple[HttpUrl, ...], NoDecode, BeforeValidator(_list)] = Field(
        default=(),
        description="Addresses of the workers, separated by commas, such as http://worker:8081: the port is "
        "WORKER_PORT. A name that stands for several addresses, as in Kubernetes and docker compose, stands for all of "
        "them. Unset: the page lets every caller in, and the guard requests agents without knowing of a free one.",
    )


class ConversationSettings(FromEnvironment):
    """What the agent says, and the rules of turn-taking; the same for both stacks."""

    usual_voice_timeout: ClassVar[float] = 3.5
    usual_transcript_timeout: ClassVar[float] = 3.0

    language: Annotated[str, AfterValidator(canonical_tag)] = Field(
        "en",
        description="Language of the callers as a BCP 47 tag: en, en-US, pt-BR, es-419, zh-Hans, fil … Write both "
        "prompts in it. multi: the recogniser finds each caller's language, and phrases and voice follow it "
        "(docs/languages.md).",
    )
    voices: Annotated[dict[str, str], NoDecode, BeforeValidator(_voices)] = Field(
        default={},
        description="With LANGUAGE=multi: the voice of each language, where it is not that of the stack, such as "
        "es=ef_dora,fr=ff_siwis for Kokoro. OpenAI's voices speak every language.",
    )
    system_prompt: Text = Field(default=DEFAULT_SYSTEM_PROMPT, description="System prompt of the main model.")
    answer_max_tokens: int = Field(
        default=300,
        gt=0,
        le=100_000,
        description="Maximum length of an answer, in tokens. It stops a model that does not end by itself; for short "
        "answers, change SYSTEM_PROMPT.",
    )
    history_max_tokens: int = Field(
        default=8_000,
        ge=500,
        le=10_000_000,
        description="Maximum length of the conversation that the main model gets with each answer, in tokens as "
        "estimated from the bytes of the text. Beyond it, the oldest turns are dropped until half of it is left; the "
        "last turn is kept always. Keep it below the context of the model.",
    )
    greeting: Text = Field(default="Hello! How can I help you?", description="Spoken when a caller joins.")
    recording_dir: Path | None = Field(
        default=None,
        description="Folder for recordings of the calls, both sides (docs/telephony.md). The caller is told first; a "
        "call in which that fails is not recorded. Unset: no call is recorded, whatever the LiveKit server wants.",
    )
    recording_notice: Text | None = Field(
        default=None,
        description="The sentence that tells callers that they are recorded, said before the greeting. Unset: a "
        "built-in one, which there is in English, German, French, Spanish and Portuguese. Find out whether it meets "
        "the law of your callers' countries.",
    )
    no_greeting: bool = Field(default=False, description="true: the agent waits for the caller to speak first.")
    answer_timeout: TimeoutSeconds = Field(
        default=4.0,
        description="Seconds that the main model may take to begin before the fast model answers in its place.",
    )
    thinking_timeout: Annotated[float, Field(gt=0, le=600)] | None = Field(
        default=None,
        description="Seconds that a main model which is at work, such as a reasoning model, may take to its first word "
        "before the fast model answers in its place. Unset: ANSWER_TIMEOUT. A longer time makes the caller "
        "wait for the main model's answer. docs/reasoning-models.md.",
    )
    reasoning_effort: ReasoningEffort = Field(
        default="auto",
        description="How much a reasoning model may think before it answers, as its provider names it. auto: as little "
        "as the provider allows, for models that are known to reason. unset: the provider's default.",
    )
    voice_timeout: TimeoutSeconds | None = Field(
        default=None,
        description="Seconds that the caller may wait for the audio of a sentence before an apology is spoken. Unset: "
        "3.5, or 8 with the self-hosted stack, whose TTS may run on a CPU.",
    )
    numbers_as_words: bool = Field(
        default=True,
        description="The voice gets amounts, times, phone numbers, dates and identifiers as words, in English, German, "
        "French, Spanish and Portuguese: many voices read 4155550123 as four billion. false: as the model writes them, "
        "for a voice that reads them well.",
    )
    transcript_timeout: TimeoutSeconds | None = Field(
        default=None,
        description="Seconds that the transcript may take after the end of the caller's speech. Later, the agent asks "
        "the caller to repeat it, and the missing transcript is discarded. Unset: 3, or 8 with the self-hosted stack.",
    )
    preresponse_strategy: StrategyName = Field(
        default="phrase",
        description="The pre-response, spoken before the answer. phrase: a phrase that fits, with audio synthesised in "
        "advance. llm: the fast model's words. hybrid: the fast model's words if they arrive in time, otherwise a "
        "phrase. off: none.",
    )
    preresponse_prompt: str | None = Field(
        default=None, description="System prompt of the fast model. Unset: see agent_worker/preresponse/fast_reply.py."
    )
    preresponse_budget: float = Field(
        default=0.0, ge=0, le=5, description="Seconds that `hybrid` waits for the fast model after the end of the turn."
    )
    preresponse_quick_answer: float = Field(
        default=0.4,
        ge=0,
        le=5,
        description="There is no pre-response if the answer is expected within so many seconds.",
    )
    preresponse_phrases: Path | None = Field(
        default=None,
        description="Your own phrases: a YAML or JSON file in the format of those in agent_worker/text/data/phrases/: "
        "a list for each move (a word, a look-up phrase, sympathy …). `agent-worker phrases check FILE` checks it, "
        "`agent-worker phrases migrate FILE` translates one of an older version.",
    )
    preresponse_audio_dir: Path | None = Field(
        default=None,
        description="Folder for the audio of the phrases, which is synthesised once for each voice. Unset: "
        "~/.cache/agent-worker/phrases. Not used if it is a link, another user's, or writable by everybody.",
    )
    turn_detector: TurnDetectorName = Field(
        default="fused",
        description="What decides that the caller has finished. fused: v1-mini, smart-turn where its weights are, the "
        "words and the silence together (docs/turn-taking.md). livekit-mini: v1-mini alone. livekit-cloud: LiveKit "
        "Cloud's model. smart-turn: smart-turn v3.2 alone. stt: the recogniser, which has to be Deepgram Flux.",
    )
    endpointing_cut_cost: float = Field(
        default=0.5,
        gt=0,
        le=100,
        description="With TURN_DETECTOR=fused: how many seconds of waiting at the end of a turn are as bad as an "
        "answer into a pause. Higher values interrupt fewer callers and answer later.",
    )
    smart_turn_path: Path | None = Field(
        default=None,
        description="smart-turn-v3.2-cpu.onnx. Unset: models/ in the cache, where `scripts/get smart-turn` puts it, or "
        "the file that the image has.",
    )
    endpointing_min_delay: float = Field(
        default=0.25,
        ge=0,
        le=10,
        description="Minimum seconds from the end of the caller's speech to the end of the turn, if the end-of-turn "
        "model predicts that the caller has finished; with TURN_DETECTOR=fused, always. docs/benchmarks/endpointing.md "
        "shows how often a short delay "
        "interrupts callers who pause.",
    )
    endpointing_max_delay: float = Field(
        default=1.8,
        ge=0,
        le=10,
        description="The same if the model predicts that the caller goes on; with TURN_DETECTOR=fused, the longest "
        "wait.",
    )
    endpointing_threshold: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Probability from which the model predicts the end of the turn. Unset: the model's own, by "
        "language (v1-mini, English: 0.36; smart-turn: 0.5). Not for fused and stt. Higher values interrupt fewer "
        "callers who pause, and make more callers wait for "
        "ENDPOINTING_MAX_DELAY.",
    )
    endpointing_open_delay: float = Field(
        default=2.5,
        ge=0,
        le=30,
        description="Minimum seconds from the end of the caller's speech to the end of the turn after words that only "
        'begin a sentence ("I\'d like to order"), or a dictated value that may go on. 0: as after other words.',
    )
    endpointing_dictation_delay: float = Field(
        default=4.0,
        ge=0,
        le=30,
        description="The same within a dictated phone number, e-mail address, spelled name or address that is "
        "incomplete.",
    )
    dtmf_delay: float = Field(
        default=2.0,
        ge=0,
        le=60,
        description="Seconds without a key after which the keys that a caller has pressed on the telephone are taken "
        "for a turn, as if the caller had said the digits; # ends it at once. Within a dictated value that is "
        "incomplete, ENDPOINTING_DICTATION_DELAY if that is longer. 0: keys make no turns, and only your own agent is "
        "told of them (docs/telephony.md).",
    )
    agent_backchannels: bool = Field(
        default=True,
        description='true: in such a pause the agent makes a listener\'s sound ("mm-hm"), at most once in 8 seconds. '
        "It leaves the floor with the caller and is not in the transcript.",
    )
    interruption_delay: float = Field(
        default=0.35,
        ge=0,
        le=5,
        description="Seconds that a sound of the caller has to last to silence the agent in the middle of an answer "
        "before any words are known. Longer values let more backchannels pass, and more of an interruption be talked "
        "over. In the first second of an answer, any sound silences the agent.",
    )
    tool_delay: float = Field(
        default=0.8,
        ge=0,
        le=10,
        description="Seconds without a sound or word of the caller after which tools may run: what a tool has done "
        "cannot be taken back if the caller goes on. It does not hold for tools that are declared to have no side "
        "effects (early_tools in docs/api.md).",
    )
    tool_timeout: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds that a tool may take. Then it is cancelled, the agent says so, and the main model is told "
        "that there is no result.",
    )
    filler_delay: float = Field(
        default=2.5,
        ge=0,
        le=60,
        description="Seconds of silence after which the agent says something while tools work or the main model has "
        'not begun ("I\'m still on it."). It goes on every few seconds, never the same twice in a turn. 0: never.',
    )
    silence_prompt_delay: float = Field(
        default=12.0,
        ge=0,
        le=3600,
        description="Seconds of the caller's silence after the agent's last word after which the agent asks whether "
        "they are still there. After as long again it asks once more, and then says goodbye and ends the call. 0: "
        "never; then only CALLER_SILENCE_MAX_SECONDS ends the call.",
    )
    silence_prompt_hold_delay: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description='The same while the caller looks for something or has asked to wait ("one moment, let me find my '
        'card"), dictates, or was asked for what has to be looked up. The longer of the two counts.',
    )
    end_after_goodbye: bool = Field(
        default=True,
        description="true: the agent ends the call a second after its last word when the caller and the agent have "
        "said goodbye, unless the caller goes on.",
    )
    listen_to: Literal["active_speaker", "first_caller"] = Field(
        default="active_speaker",
        description="Whom the agent listens to in a room with several callers. active_speaker: who speaks; when one "
        "leaves, the call goes on with the others. first_caller: only the first, and the call ends with this one. A "
        "hidden participant, and one whose token has the attribute agent_worker.role=supervisor, is never a caller.",
    )
    transfer_to: PhoneAddress | None = Field(
        default=None,
        description="Whom to put callers through to: tel:+15105550100 or sip:desk@example.com. The main model gets the "
        "tool transfer_to_human in calls from a telephone (SIP REFER). Unset: nobody is put through.",
    )
    transfer_timeout: float = Field(
        default=30.0,
        ge=1,
        le=80,
        description="Seconds that the telephone of TRANSFER_TO may ring before the agent comes back to the caller.",
    )
    prices: Path | None = Field(
        default=None, description="Your own prices: a YAML or JSON file in the format that docs/costs.md shows."
    )
    callers_choose_strategy: bool = Field(
        default=False,
        description="true: a caller may change the strategy during the call (docs/turns.md), to try it out.",
    )
    callers_see_usage: bool = Field(
        default=False,
        description="true: the turn records that a caller receives hold the usage and cost of the call, and the page "
        "shows them.",
    )
    turn_log: Literal["off", "timing", "full"] = Field(
        default="off",
        description="One JSON line in the log for each turn. timing: without any spoken words. full: with them.",
    )

    @model_validator(mode="after")
    def _check_turn_detector(self) -> ConversationSettings:
        if self.endpointing_threshold is not None and self.turn_detector in ("fused", "stt"):
            raise ValueError(
                f"ENDPOINTING_THRESHOLD has no meaning with TURN_DETECTOR={self.turn_detector}: unset it"
                + (", and use ENDPOINTING_CUT_COST" if self.turn_detector == "fused" else "")
            )
        if self.endpointing_min_delay > self.endpointing_max_delay:
            raise ValueError("ENDPOINTING_MIN_DELAY is longer than ENDPOINTING_MAX_DELAY: change one of them")
        return self


class WorkerSettings(FromEnvironment):
    """The process on each machine that accepts calls."""

    worker_port: Port = Field(
        default=8081,
        description="Port on which the worker tells its state: /ready, /startup, /healthz, /slots. 0: a free port.",
    )
    worker_max_calls: int | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="Approximate maximum number of concurrent calls. Unset: LiveKit's load limit, which accepts no "
        "call while the CPU is over 70 % busy.",
    )
    agent_worker_version: Text | None = Field(
        default=None,
        description="Version of this deployment in turn records, such as the tag of an image or a commit. Unset: the "
        "version of the package; the image sets it.",
    )
    worker_page_rooms_only: bool = Field(
        default=False,
        description="true: the worker accepts only calls of the page server, which signs its rooms with "
        "LIVEKIT_API_SECRET. Set it where callers come from the page only and the LiveKit server creates rooms for "
        "everyone who joins (room.auto_create, and LiveKit Cloud): otherwise a visitor can call again past the page's "
        "limits.",
    )
    sip_outbound_trunk: Text | None = Field(
        default=None,
        description="LiveKit's id of the SIP trunk over which the agent calls telephones when the metadata of its "
        "dispatch ask for it (docs/telephony.md). Unset: it calls nobody.",
    )
    sip_ringing_timeout: float = Field(
        default=30.0, ge=1, le=80, description="Seconds that a telephone which the agent calls may ring."
    )
    sip_answering_machine: MachineAction = Field(
        default="hang_up",
        description="What the agent does when an answering machine takes a call that the agent has placed. "
        "leave_message: it says SIP_VOICEMAIL_MESSAGE after the tone and hangs up. talk: as with a person "
        "(docs/telephony.md).",
    )
    sip_voicemail_message: Text | None = Field(
        default=None,
        max_length=MAX_VOICEMAIL_CHARS,
        description="The message for answering machines, with SIP_ANSWERING_MACHINE=leave_message.",
    )
    sip_phone_menu: MenuAction = Field(
        default="press_keys",
        description="The same when a phone menu or a call screening takes the call. press_keys: the main model answers "
        "it and has the tool press_keys; pre-responses are off. talk: as with a person. With talk for both, nothing is "
        "recognised, and the agent greets at once.",
    )
    call_max_seconds: int = Field(
        default=3600,
        gt=0,
        le=604_800,
        description="Maximum duration of a call, in seconds; then the agent says goodbye and closes the room. This and "
        "the next three settings bound what a caller can cost.",
    )
    call_max_tokens: int = Field(
        default=2_000_000,
        gt=0,
        le=1_000_000_000,
        description="Maximum number of LLM tokens in a call, prompts and completions of both models; then the agent "
        "says goodbye. A lively hour needs about 1.5 million, as each answer's prompt holds the history.",
    )
    call_max_cost_usd: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="Maximum cost of a call in US dollars, at the list prices or those of PRICES (docs/costs.md); then "
        "the agent says goodbye. Unset: no limit, because the list prices may not be yours.",
    )
    caller_silence_max_seconds: int = Field(
        default=300,
        gt=0,
        le=604_800,
        description="Seconds that the caller may be silent while the agent listens; then the agent says goodbye.",
    )
    call_continuation: bool = Field(
        default=True,
        description="true: an agent that replaces a dead one continues the call: the conversation so far is in the "
        "room's metadata, encrypted. false: nothing is kept, and the new agent begins anew.",
    )
    call_continuation_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Secret of the deployment with which the conversation is encrypted, the same for all workers, at "
        "least 16 characters: `openssl rand -hex 32`. Unset: LIVEKIT_API_SECRET.",
    )
    call_memory_limit_mb: int | None = Field(
        default=None,
        ge=512,
        le=1_000_000,
        description="Maximum memory of a call's process, in MB (PSS: shared memory counts in parts). A process over it "
        "is ended, and its caller gets another agent within seconds. Idle processes are limited too. Unset: no limit.",
    )
    worker_drain_timeout: int = Field(
        default=600,
        gt=0,
        le=604_800,
        description="Seconds that calls may go on after the worker received SIGTERM or Ctrl-C. Meanwhile it accepts no "
        "new calls.",
    )
    metrics_port: int | None = Field(
        default=None,
        gt=0,
        le=65535,
        description="Port on which this worker serves the metrics of all workers on the host. Unset: run "
        "`python -m agent_metrics` yourself.",
    )
    metrics_host: Text = Field(
        default="127.0.0.1",
        description="Address on which METRICS_PORT, and `python -m agent_metrics`, listen. 0.0.0.0 is every interface, "
        "and the default in the image: whoever reaches the port reads the metrics unless METRICS_WEB_CONFIG_FILE sets "
        "passwords.",
    )
    metrics_web_config_file: Path | None = Field(
        default=None,
        description="TLS and passwords of METRICS_PORT, and of `python -m agent_metrics`: a file in the format of "
        "Prometheus's exporter-toolkit, which docs/agent-metrics.md shows.",
    )


class TraceSettings(FromEnvironment):
    """OpenTelemetry traces of the calls."""

    otel_exporter_otlp_endpoint: HttpUrl | None = Field(
        default=None,
        description="Address of an OpenTelemetry collector or backend that takes traces as OTLP over HTTP, such as "
        "http://localhost:4318 (docs/tracing.md). Headers, sampler and the rest are OpenTelemetry's own variables. "
        "Unset: no traces.",
    )
    trace_words: bool = Field(
        default=False,
        description="true: traces hold what callers and agent say, prompts, and what tools get and return. Whoever "
        "reads the traces reads the calls.",
    )


class Settings(LiveKitSettings, ConversationSettings, WorkerSettings, TraceSettings):
    """The settings that both stacks share."""

    @model_validator(mode="after")
    def _check_languages(self) -> Settings:
        if self.language == MULTI and self.preresponse_phrases:
            raise ValueError("PRERESPONSE_PHRASES is for one language: set LANGUAGE to it, or leave the phrases unset")
        if self.voices and self.language != MULTI:
            raise ValueError("VOICES is for LANGUAGE=multi: set the voice of one language with the stack's own setting")
        return self

    @model_validator(mode="after")
    def _check_voicemail(self) -> Settings:
        leaves_message = self.sip_answering_machine == "leave_message"
        if leaves_message and self.sip_voicemail_message is None:
            raise ValueError("SIP_ANSWERING_MACHINE=leave_message needs a message: set SIP_VOICEMAIL_MESSAGE")
        if self.sip_voicemail_message and not leaves_message:
            raise ValueError(
                f"SIP_VOICEMAIL_MESSAGE is never said with SIP_ANSWERING_MACHINE={self.sip_answering_machine}: unset "
                "it, or set SIP_ANSWERING_MACHINE=leave_message"
            )
        return self

    @model_validator(mode="after")
    def _check_cloud_detector(self) -> Settings:
        host = AnyUrl(self.livekit_url).host or ""
        if self.turn_detector == "livekit-cloud" and not host.endswith(".livekit.cloud"):
            raise ValueError(
                "TURN_DETECTOR=livekit-cloud needs the keys of a project of LiveKit Cloud: set LIVEKIT_URL to its "
                "address, or choose another TURN_DETECTOR"
            )
        return self


class CloudSettings(Settings):
    """Groq for both language models, Deepgram for STT, OpenAI for TTS."""

    groq_api_key: Secret = Field(description="Create a key at https://console.groq.com/keys")
    groq_base_url: HttpUrl = Field(
        default="https://api.groq.com/openai/v1",
        description="Address of Groq, or of another service with OpenAI's chat completions API.",
    )
    groq_fast_model: Text = Field(default="llama-3.1-8b-instant", description=_FAST_MODEL)
    groq_main_model: Text = Field(default="llama-3.3-70b-versatile", description="The model that answers.")

    deepgram_api_key: Secret = Field(description="Create a key at https://console.deepgram.com")
    deepgram_base_url: HttpUrl = Field(default="https://api.deepgram.com/v1/listen", description="Address of Deepgram.")
    deepgram_model: Text = Field(
        default="nova-3", description="STT model. TURN_DETECTOR=stt needs flux-general-en or flux-general-multi."
    )

    openai_api_key: Secret = Field(description="Create a key at https://platform.openai.com/api-keys")
    openai_base_url: HttpUrl = Field(
        default="https://api.openai.com/v1",
        description="Address of OpenAI, or of another service with OpenAI's speech API.",
    )
    openai_tts_model: Text = Field(default="gpt-4o-mini-tts", description="TTS model.")
    openai_tts_voice: Text = Field(default="ash", description="Voice of the TTS model.")

    @model_validator(mode="after")
    def _check_stt_detector(self) -> CloudSettings:
        if self.turn_detector == "stt" and not self.deepgram_model.startswith("flux"):
            raise ValueError(
                f"TURN_DETECTOR=stt needs a recogniser that ends turns, and {self.deepgram_model} does not: set "
                "DEEPGRAM_MODEL to flux-general-en, or choose another TURN_DETECTOR"
            )
        return self

    @model_validator(mode="after")
    def _check_english_model(self) -> CloudSettings:
        if self.deepgram_model == "flux-general-en" and self.language.split("-")[0] not in ("en", "eng"):
            raise ValueError(
                f"DEEPGRAM_MODEL=flux-general-en understands English only, and LANGUAGE is {self.language}: set "
                "DEEPGRAM_MODEL to flux-general-multi or nova-3"
            )
        return self


class SelfHostedSettings(Settings):
    """Ollama, speaches and Kokoro, each on its default port."""

    usual_voice_timeout: ClassVar[float] = 8.0
    usual_transcript_timeout: ClassVar[float] = 8.0

    ollama_base_url: HttpUrl = Field(default="http://localhost:11434/v1", description="Address of Ollama.")
    ollama_fast_model: Text = Field(default="llama3.1:8b", description=_FAST_MODEL)
    ollama_main_model: Text = Field(default="llama3.3:70b", description="The model that answers.")

    speaches_base_url: HttpUrl = Field(
        default="http://localhost:8000/v1",
        description="Address of speaches, or of another service with OpenAI's transcriptions API.",
    )
    speaches_api_key: Secret = Field(
        default=SecretStr("none"), description="The API_KEY that speaches was started with; any word if there is none."
    )
    speaches_model: Text = Field(default="Systran/faster-distil-whisper-small.en", description="STT model.")

    kokoro_base_url: HttpUrl = Field(
        default="http://localhost:8880/v1",
        description="Address of Kokoro, or of another service with OpenAI's speech API.",
    )
    kokoro_api_key: Secret = Field(
        default=SecretStr("none"), description="Any word, as Kokoro needs no key; for another service, its key."
    )
    kokoro_model: Text = Field(default="kokoro", description="TTS model.")
    kokoro_voice: Text = Field(default="af_heart", description="Voice of the TTS model.")

    @model_validator(mode="after")
    def _check_stt_detector(self) -> SelfHostedSettings:
        if self.turn_detector == "stt":
            raise ValueError("TURN_DETECTOR=stt needs Deepgram Flux, which is in the cloud stack: choose another")
        return self


SettingsT = TypeVar("SettingsT", bound=Settings)
AnySettingsT = TypeVar("AnySettingsT", bound=FromEnvironment)


class BadSettingsError(Exception):
    """Settings are missing or wrong.

    Attributes:
        problems: One line for each setting: its name, the error and the remedy; never the value, which may be a
            secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def load(settings_type: type[AnySettingsT], overrides: dict[str, Any] | None = None) -> AnySettingsT:
    """Read and check the settings.

    Args:
        settings_type: The class of settings to read.
        overrides: Values by field name that take precedence over the environment.

    Raises:
        BadSettingsError: Lists every missing or wrong setting.
    """
    try:
        return settings_type(**(overrides or {}))
    except ValidationError as error:
        raise BadSettingsError([_describe(problem, settings_type) for problem in error.errors()]) from None


def _describe(problem: Any, settings_type: type[FromEnvironment]) -> str:
    if not problem["loc"]:  # settings that do not go together
        return f"{str(problem['msg']).removeprefix('Value error, ')} (see .env.example)"
    field = str(problem["loc"][0])
    name = field.upper()
    if problem["type"] == "missing":
        hint = settings_type.model_fields[field].description or "see .env.example"
        return f"{name} is not set: put it into .env or the environment ({hint.rstrip('.')})"
    return f"{name} is wrong: {problem['msg'].removeprefix('Value error, ')} (see .env.example)"
