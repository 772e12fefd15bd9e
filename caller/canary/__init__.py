"""The canary: a caller that tries the agent at intervals, as callers would, and tells Prometheus whether it answered.

``python -m caller.canary`` places one call, and ends: for cron and a Kubernetes CronJob. With ``CANARY_INTERVAL`` it
goes on. A short-lived process cannot be scraped, so the result is pushed to a Pushgateway.

* ``trial`` places one call and judges it; ``room`` makes its room.
* ``metrics`` holds the result as metrics; ``gateway`` pushes them.
"""
