"""A receiver of webhooks on loopback: it checks each signature by itself, and answers as the test says."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


@dataclass
class Receiver:
    """The messages that came, in order, as (id, JSON body). `status` is the answer to the next ones."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)

    @property
    def events(self) -> Counter[str]:
        return Counter(body["type"] for _, body in self.messages)

    async def take(self, request: web.Request) -> web.Response:
        body, key = await request.read(), b64decode(SECRET.removeprefix("whsec_"))
        message_id, sent_at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        digest = hmac.new(key, f"{message_id}.{sent_at}.".encode() + body, "sha256").digest()
        assert request.headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
        self.messages.append((message_id, json.loads(body)))
        self.bodies.setdefault(message_id, set()).add(body)
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Run a receiver at a free port."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


def webhooks_block(
    url: str, events: str = "issue.sent, delivery.refused, subscriber.unsubscribed, feed.failing"
) -> str:
    """Return the lines of caveat.yaml for a webhook at this address."""
    return f"""
fetch: {{settle: 0s, allow_private: ["127.0.0.1"]}}
webhooks:
  - {{url: "{url}", events: [{events}], secret_file: webhook.secret}}
"""


def write_secret(folder: Path) -> None:
    (folder / "webhook.secret").write_text(SECRET + "\n")
    (folder / "webhook.secret").chmod(0o600)
