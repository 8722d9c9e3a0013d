"""The own account: password, authenticator app, sessions, logout."""

from service.web.admin.account.pages import (
    act_password,
    end_all_others,
    end_one,
    save_email,
    show,
)
from service.web.admin.account.two_factor import act_off, act_on, show_enrolment
from service.web.admin.login import log_out_here
from service.web.admin.sections import AdminRoute, Section

ACCOUNT = Section(
    "Your account",
    "/account",
    (
        AdminRoute("/account", show),
        AdminRoute("/account/email", save_email, "POST"),
        AdminRoute("/account/password", act_password, "POST"),
        AdminRoute("/account/two-factor", show_enrolment),
        AdminRoute("/account/two-factor", act_on, "POST"),
        AdminRoute("/account/two-factor/off", act_off, "POST"),
        AdminRoute("/account/sessions/end", end_one, "POST"),
        AdminRoute("/account/sessions/end-others", end_all_others, "POST"),
        AdminRoute("/logout", log_out_here, "POST"),
    ),
    {
        "email": "The address is saved.",
        "password": "The new password is saved; your other sessions are ended.",
        "on": "From the next login on you need a code of your authenticator app.",
        "off": "You log in without a code now.",
        "ended": "The session is ended.",
        "others": "Your other sessions are ended.",
    },
    in_navigation=False,
)
"""The pages about the person who is logged in; every role has them."""
