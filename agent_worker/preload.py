"""Imported by the process from which livekit forks those of calls, so that its metrics are written by us as well."""

from agent_worker.environment import prepare

prepare()
