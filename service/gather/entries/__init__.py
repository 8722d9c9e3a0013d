"""Entries: what a feed holds becomes articles."""
