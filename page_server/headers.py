"""What a browser may do with the page: headers of every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOR_EVER = "public, max-age=31536000, immutable"
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
    """Scripts and styles from here only; connections to here and to LiveKit, which it asks over HTTP too."""
    where = urlsplit(livekit_url)
    livekit = f"{where.scheme}://{where.netloc} {where.scheme.replace('ws', 'http')}://{where.netloc}"
    policy = {**_POLICY, "connect-src": f"'self' {livekit}"}
    return "; ".join(f"{what} {sources}" for what, sources in policy.items())


class SecurityHeaders:
    """Adds them, and says how long what may be kept."""

    def __init__(self, app: ASGIApp, livekit_url: str) -> None:
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", _how_long(scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _how_long(path: str, status: int) -> str:
    if path.startswith("/assets/") and status in (200, 206, 304):
        return _FOR_EVER  # Vite puts a hash of the content into each name there
    return "no-store" if path.startswith("/api/") or status >= 400 else "no-cache"
