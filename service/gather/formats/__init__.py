"""Formats: feed documents in every format that is read."""
