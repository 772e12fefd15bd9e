"""Metrics of many processes on one page, exact across process deaths: the service ``agent-metrics`` and its writer.

* ``writer`` runs in each measured process: prometheus_client's metrics write to files in a locked folder.
* ``collector`` merges the files of living processes with the ledger of dead ones; ``compactor`` moves dead processes'
  files into the ledger; ``processes`` tracks which process lives; ``totals`` merges values; ``series`` parses keys.
* ``storage`` knows the folder on disk: layout and locks, value files, ledger, quarantine.
* ``server`` serves it over HTTP; ``status`` holds the service's metrics about itself.
* ``compat`` is the only place that touches prometheus_client's internals.

The package imports ``http_service`` and nothing of ``agent_worker``.
"""
