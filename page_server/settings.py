"""Settings of the page server."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from agent_worker.core.settings import HttpUrl, LiveKitSettings, LiveKitUrl, Port, Text, WorkerUrlSettings

#: Every guess is checked (see http_service.basic_auth), so short passwords would be found.
_MIN_PASSWORD_CHARS = 12
BUILT_PAGE = Path(__file__).resolve().parent.parent / "web" / "dist"


class PageSettings(LiveKitSettings, WorkerUrlSettings):
    """The server of the page on which callers talk to the agent. It also needs the LiveKit settings."""

    page_host: Text = Field(
        default="127.0.0.1",
        description="Address to listen on. One that other machines can reach, such as 0.0.0.0, requires PAGE_PASSWORD "
        "or PAGE_PUBLIC=true.",
    )
    page_port: Port = Field(default=8080, description="Port to listen on; 0 picks a free port.")
    page_livekit_url: LiveKitUrl | None = Field(
        default=None, description="Address of the LiveKit server for callers' browsers. Unset: LIVEKIT_URL."
    )
    page_origin: HttpUrl | None = Field(
        default=None,
        description="The page's address as callers open it, such as https://talk.example.com. Then calls can be "
        "started from there only. Behind a proxy, and for any host name other than this machine's, it is needed.",
    )
    forwarded_allow_ips: str | None = Field(
        default=None,
        description="Addresses and networks of your proxies, separated by commas, such as 10.1.2.3,10.42.0.0/16: "
        "X-Forwarded-For is believed from them only. Unset: from this machine, if PAGE_HOST is loopback, otherwise "
        "from nobody.",
    )
    page_dir: Path | None = Field(
        default=None,
        validate_default=True,
        description="Folder of the built page. Unset: web/dist of this project (`make page`).",
    )
    page_calls_per_minute: int = Field(
        default=10,
        gt=0,
        le=100_000,
        description="Number of calls that each client address may start in a minute; its larger networks have a "
        "multiple of it (docs/page-server.md).",
    )
    page_total_calls_per_minute: int = Field(
        default=600, gt=0, le=1_000_000, description="Number of calls that all clients together may start in a minute."
    )
    page_open_calls: int = Field(
        default=10, gt=0, le=100_000, description="Number of calls that each client address may have open at once."
    )
    page_reserved_slots: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Free slots of the workers that the page does not give away, for callers who lost their agent, and "
        "for those who do not come from the page. Needs WORKER_URLS: without it, the page lets every caller in.",
    )
    page_connections: int = Field(
        default=50,
        gt=0,
        le=100_000,
        description="Number of connections that each client address may have open at once; proxies are exempt.",
    )
    page_health_port: Port | None = Field(
        default=None,
        description="Port that serves only /healthz and /metrics: it also answers while all connections of PAGE_PORT "
        "are taken. Whoever reaches it reads the metrics. Unset: none.",
    )
    page_public: bool = Field(
        default=False,
        description="true: everyone who can reach the page may call without a password. You pay for every call.",
    )
    page_password: SecretStr | None = Field(
        None,
        validate_default=True,
        description="Password of the page, at least 12 characters; callers may give any user name with it. Make a "
        "random one: `openssl rand -base64 18`.",
    )

    @property
    def folder(self) -> Path:
        """The built page."""
        return self.page_dir or BUILT_PAGE

    @property
    def browser_livekit_url(self) -> str:
        """The WebSocket address of LiveKit for callers' browsers."""
        url = str(self.page_livekit_url or self.livekit_url)
        return f"ws{url.removeprefix('http')}" if url.startswith("http") else url

    @property
    def is_reachable_by_others(self) -> bool:
        """Whether other machines can open the page."""
        return _is_reachable_by_others(self.page_host, self.page_origin)

    @property
    def trusted_proxies(self) -> list[str]:
        """The addresses and networks whose ``X-Forwarded-For`` is believed."""
        if self.forwarded_allow_ips is None:
            return ["127.0.0.0/8", "::1"] if is_loopback(self.page_host) else []
        found = _proxy_networks(self.forwarded_allow_ips)
        # Of a socket for both IPv4 and IPv6, IPv4 addresses are mapped to IPv6.
        mapped = [f"::ffff:{one.network_address}/{96 + one.prefixlen}" for one in found if one.version == 4]
        return [*map(str, found), *mapped]

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _refuse_everybody(cls, proxies: str | None) -> str | None:
        if proxies is not None:
            _proxy_networks(proxies)
        return proxies

    @field_validator("page_origin")
    @classmethod
    def _refuse_path(cls, origin: str | None) -> str | None:
        if origin and origin.count("/") > 2:
            raise ValueError("give scheme, host and port only, like https://talk.example.com")
        return origin

    @field_validator("page_dir")
    @classmethod
    def _require_built_page(cls, folder: Path | None) -> Path:
        folder = folder or BUILT_PAGE
        if not is_built(folder):
            raise ValueError(f"no index.html in {folder}: build the page with `make page`")
        return folder

    @field_validator("page_password")
    @classmethod
    def _require_password_if_reachable(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password and len(password.get_secret_value()) < _MIN_PASSWORD_CHARS:
            raise ValueError(f"it needs {_MIN_PASSWORD_CHARS} characters or more: `openssl rand -base64 18`")
        reachable = _is_reachable_by_others(info.data.get("page_host", ""), info.data.get("page_origin"))
        if reachable and not password and not info.data.get("page_public"):
            raise ValueError(
                "other machines can open the page, and each call costs you money: set a password, "
                "or PAGE_PUBLIC=1 if everyone may call"
            )
        return password


def _proxy_networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [_proxy_network(item.strip()) for item in text.split(",")]


def _proxy_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        network = None
    if network is None or network.prefixlen == 0:
        raise ValueError(
            "list the addresses or networks of your proxies, such as 10.1.2.3,10.42.0.0/16; from everybody (*), any "
            "client could claim any address"
        )
    return network


def is_built(folder: Path = BUILT_PAGE) -> bool:
    """Return whether the folder holds a built page."""
    return os.path.isfile(folder / "index.html")  # unlike Path.is_file, False for what cannot be a path


def _is_reachable_by_others(host: str, origin: object) -> bool:
    """Return whether other machines can open the page: directly, or through a proxy that serves ``origin``."""
    return not is_loopback(host) or (origin is not None and not is_loopback(urlsplit(str(origin)).hostname or ""))


def is_loopback(host: str) -> bool:
    """Return whether a host name or address, without a port, certainly is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
