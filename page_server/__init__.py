"""The page server: serves the page to call the agent from, and gives each visit a LiveKit room of its own.

``app`` holds the routes, ``sessions`` makes rooms and tokens, ``headers`` the security headers, ``settings`` the
configuration. Imports ``http_service`` and the settings of ``agent_worker``.
"""
