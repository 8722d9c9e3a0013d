"""Deliver: the outbox becomes sent, retried or given up, and the ledger knows which."""
