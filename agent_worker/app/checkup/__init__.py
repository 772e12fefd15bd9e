"""The subcommand ``check``: whether a worker with these settings could run a conversation, and what to do if not.

``command`` runs the checks in their order: settings, files and this machine (``local``), ``livekit_server``,
``providers``. Each yields results (:class:`agent_worker.core.check_result.CheckResult`), which ``report`` prints.
"""
