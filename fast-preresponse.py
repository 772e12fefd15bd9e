"""Voice agent on cloud services: Groq (Llama), Deepgram (STT), OpenAI (TTS).

    python fast-preresponse.py              # run the worker; or `check`, `dev`, `console`, `connect`

Settings are read from the environment and `.env`; `.env.example` explains each.
`agent_worker/providers/cloud.py` chooses the services.
"""

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

from agent_worker.app import worker
from agent_worker.providers.cloud import CLOUD

if __name__ == "__main__":
    worker.run(CLOUD)
