"""The program: command line, worker process, calls, ``check`` and the health check.

``call`` is the only module that puts the parts of a call together. Nothing below this package may import it.
"""
