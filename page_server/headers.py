"""Security and caching headers of every response of the page server."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"
_HTTPS_FOR_A_YEAR = "max-age=31536000"
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "media-src": "'self' blob:",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def content_security_policy(livekit_url: str) -> str:
    """Return the policy: resources from this server only, connections to it and to LiveKit (WebSocket and HTTP)."""
    url = urlsplit(livekit_url)
    livekit = f"{url.scheme}://{url.netloc} {url.scheme.replace('ws', 'http')}://{url.netloc}"
    policy = {**_POLICY, "connect-src": f"'self' {livekit}"}
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class SecurityHeaders:
    """ASGI middleware that adds the security headers, and ``Cache-Control`` where the response has none.

    Args:
        app: The application.
        livekit_url: The WebSocket address of LiveKit for browsers.
        is_https: Whether callers open the page by https: then browsers are told to use nothing else from now on.
    """

    def __init__(self, app: ASGIApp, livekit_url: str, *, is_https: bool = False) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(livekit_url),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(), display-capture=(), geolocation=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        if is_https:
            self._headers["Strict-Transport-Security"] = _HTTPS_FOR_A_YEAR

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a ``send`` that adds the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", _cache_control(scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _cache_control(path: str, status: int) -> str:
    if path.startswith("/assets/") and status in (200, 206, 304):
        return _CACHE_FOR_A_YEAR  # Vite puts a hash of the content into each file name
    return "no-store" if path.startswith("/api/") or status >= 400 else "no-cache"
