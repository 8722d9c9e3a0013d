"""Wiring: the only room that knows every part. It puts them together, and holds the only clock."""
