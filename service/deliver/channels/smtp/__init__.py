"""SMTP: transactions with a mail server, and what its replies mean."""
