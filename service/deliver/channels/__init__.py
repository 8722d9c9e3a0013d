"""Channels: the ways to reach a subscriber, each in a folder of its own."""
