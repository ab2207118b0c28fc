"""Headers on every answer of the server: what a page may load, who may frame it, what it tells.

A page loads nothing that this server does not send, so that even a hole in the checks of what
comes from outside could not make a viewer's browser ask a foreign address.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = {  # Content-Security-Policy
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Vega compiles its expressions
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "content-security-policy": "; ".join(f"{what} {whence}" for what, whence in POLICY.items()),
    "referrer-policy": "no-referrer",  # a link of ours holds the reader's settings
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


ENCODED = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Headers:
    """The server within, with HEADERS on its answers; those that it sets itself are replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ())
                        if name.decode("latin-1").lower() not in HEADERS]  # fmt: skip
                message = {**message, "headers": kept + ENCODED}
            await send(message)

        await self.app(scope, receive, sent)
