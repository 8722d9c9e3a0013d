"""Deliver: sends due deliveries, and records every attempt and outcome in the ledger."""
