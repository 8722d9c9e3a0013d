"""The sign-up form, its embedded version, invitations, and the page that confirms a sign-up."""
