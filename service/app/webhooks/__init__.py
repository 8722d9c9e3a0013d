"""Webhooks: other programs are told by HTTP about issues, refusals, unsubscribes and failing feeds."""
