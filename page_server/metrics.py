"""The page server's metrics, which it serves on PAGE_HEALTH_PORT."""

from __future__ import annotations

from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter

from agent_metrics.compat.prometheus import choose_page_encoder, in_memory_values

#: Why a request is refused; most are codes of error responses, too.
RefusalReason = Literal[
    "all_lines_busy",
    "bad_request",
    "rate_limited",
    "rooms_unavailable",
    "too_many_open_calls",
    "wrong_origin",
    "wrong_password",
]
REFUSAL_REASONS: Final[tuple[RefusalReason, ...]] = get_args(RefusalReason)

METRICS_PATH: Final = "/metrics"


class PageMetrics:
    """Every metric of a page server, of this process.

    Attributes:
        registry: Serves them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # In memory, also where the image tells workers to write theirs to files.
        with in_memory_values():
            self.sessions = Counter(
                "page_sessions_total", "Sessions that were granted: a room and a token for it", registry=self.registry
            )
            self.refusals = Counter(
                "page_refusals_total", "Requests that were refused, by reason", ["reason"], registry=self.registry
            )
        for reason in REFUSAL_REASONS:
            self.refusals.labels(reason)

    def page(self) -> tuple[bytes, str]:
        """Return the page for Prometheus and its content type, in the plain text format."""
        encode, content_type = choose_page_encoder("")
        return encode(self.registry), content_type
