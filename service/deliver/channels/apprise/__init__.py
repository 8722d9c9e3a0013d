"""Apprise channel: digests as short messages to chat and push services."""
