"""The attacks of SECURITY.md against a running system of your own: ``python -m tests.attack --help``.

Everything goes through the addresses that an attacker has; nothing is changed in the system. Attacks on calls make real
calls, which cost what a few short turns cost.
"""
