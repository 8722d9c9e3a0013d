"""Spellings of names and values that people write, and what they mean."""
