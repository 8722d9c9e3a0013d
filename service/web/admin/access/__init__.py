"""Access: accounts with their one-time links and roles, and the audit log; for admins."""

from service.core.model import AccountRole
from service.web.admin.access.account_pages import (
    act_delete,
    act_disable,
    act_enable,
    act_link,
    act_role,
    show_account,
    show_delete,
)
from service.web.admin.access.accounts import act_create, show_accounts
from service.web.admin.access.audit_log import show_audit
from service.web.admin.sections import AdminRoute, Handler, Section


def _post(path: str, handler: Handler) -> AdminRoute:
    return AdminRoute(path, handler, "POST", AccountRole.ADMIN)


ACCESS = Section(
    "Access",
    "/access",
    (
        AdminRoute("/access", show_accounts, role=AccountRole.ADMIN),
        AdminRoute("/access/audit", show_audit, role=AccountRole.ADMIN),
        _post("/access/accounts", act_create),
        AdminRoute("/access/accounts/{account}", show_account, role=AccountRole.ADMIN),
        _post("/access/accounts/{account}/role", act_role),
        _post("/access/accounts/{account}/link", act_link),
        _post("/access/accounts/{account}/disable", act_disable),
        _post("/access/accounts/{account}/enable", act_enable),
        AdminRoute("/access/accounts/{account}/delete", show_delete, role=AccountRole.ADMIN),
        _post("/access/accounts/{account}/delete", act_delete),
    ),
    {
        "role": "The role is changed; it holds from the next request on.",
        "disabled": "The account is disabled, and its sessions are ended.",
        "enabled": "The account is enabled.",
        "deleted": "The account is deleted. What it did stays in the audit log.",
    },
    role=AccountRole.ADMIN,
)
"""Who may open these pages, and what they did."""
