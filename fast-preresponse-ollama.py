"""Voice agent on services you run yourself: Ollama (Llama), speaches (Whisper), Kokoro (TTS).

    python fast-preresponse-ollama.py       # run the worker; `dev`, `console`, `connect` … work too

Settings come from the environment or `.env`; `.env.example` explains each. Which services
it uses is in `agent_worker/providers/self_hosted.py`.
"""

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

from agent_worker.app import worker
from agent_worker.providers.self_hosted import SELF_HOSTED

if __name__ == "__main__":
    worker.run(SELF_HOSTED)
