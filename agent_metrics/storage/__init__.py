"""The metrics folder on disk: its layout and locks, the value files, the ledger and the quarantine.

Names and formats on disk stay readable for the version before. Imports ``compat``, ``series``, ``totals``.
"""
