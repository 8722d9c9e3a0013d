"""Login by reverse proxy: the proxy has authenticated the person and names their account in a header.

Only a proxy in `web.trusted_proxies` that is connected directly may do so. From everybody else the header is
ignored, also from this machine unless it is listed: any user of it can send requests.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.web.client_ip import is_in_networks

TWICE = "The header {header} came twice; the proxy has to replace what the browser sends."


def named_account(request: Request, header: str, proxies: Sequence[str]) -> str | None:
    """Return the name in the header of a proxy; None without header or from another address.

    Raises HTTPException 403 for two headers: one of them may be the browser's.
    """
    peer = request.client.host if request.client else ""
    if not header or not is_in_networks(peer, proxies):
        return None
    given = request.headers.getlist(header)
    if len(given) > 1:
        raise HTTPException(403, TWICE.format(header=header))
    # Proxies send names in UTF-8; headers are read as Latin-1.
    name = given[0].encode("latin-1").decode("utf-8", "replace").replace("\0", "").strip() if given else ""
    return name or None
