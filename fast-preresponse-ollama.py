"""Voice agent on services you run yourself: Ollama (Llama), speaches (Whisper), Kokoro (TTS).

    python fast-preresponse-ollama.py       # run the worker; or `check`, `dev`, `console`, `connect`

Settings are read from the environment and `.env`; `.env.example` explains each.
`agent_worker/providers/self_hosted.py` chooses the services.
"""

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

from agent_worker.app import worker
from agent_worker.providers.self_hosted import SELF_HOSTED

if __name__ == "__main__":
    worker.run(SELF_HOSTED)
