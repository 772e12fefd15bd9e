"""Small local models behind the protocols of OpenAI and Deepgram, for running the worker without any account."""
