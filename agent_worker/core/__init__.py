"""Settings, logging, files and assumptions about libraries, which every other sub-package uses.

Any module of ``agent_worker`` may import this package. It imports nothing else of ``agent_worker``.
"""
