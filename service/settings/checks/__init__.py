"""Checks of settings that only together are wrong."""
