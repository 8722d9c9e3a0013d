"""Subscribers: people, their subscriptions and preferences, import and export, signed links."""
