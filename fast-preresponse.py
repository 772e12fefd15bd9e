"""Voice agent on cloud services: Groq (Llama), Deepgram (STT), OpenAI (TTS).

    python fast-preresponse.py              # run the worker; `dev`, `console`, `connect` … work too

Settings come from the environment or `.env`; `.env.example` explains each. Which services
it uses is in `agent_worker/providers/cloud.py`.
"""

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

from agent_worker.app import worker
from agent_worker.providers.cloud import CLOUD

if __name__ == "__main__":
    worker.run(CLOUD)
