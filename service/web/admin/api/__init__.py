"""API: the tokens of programs that use the API; for admins."""

from service.core.model import AccountRole
from service.web.admin.api.tokens import act_create_token, act_revoke_token, show_revoke, show_tokens
from service.web.admin.sections import AdminRoute, Section

API = Section(
    "API",
    "/api",
    (
        AdminRoute("/api", show_tokens, role=AccountRole.ADMIN),
        AdminRoute("/api/tokens", act_create_token, "POST", AccountRole.ADMIN),
        AdminRoute("/api/tokens/{token}/revoke", show_revoke, role=AccountRole.ADMIN),
        AdminRoute("/api/tokens/{token}/revoke", act_revoke_token, "POST", AccountRole.ADMIN),
    ),
    {"revoked": "The token is revoked, and does not work any more."},
    role=AccountRole.ADMIN,
)
"""The programs that may use the API."""
