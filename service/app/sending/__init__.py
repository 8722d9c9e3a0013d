"""Sending by hand: to subscribers, in the foreground, and as a test."""
