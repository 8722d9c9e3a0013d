"""Settings of webhooks: programs that are told about events."""
