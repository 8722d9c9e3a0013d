"""Compose: due editions become issues in the outbox."""
