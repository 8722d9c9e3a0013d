"""Limits: how fast messages leave, how many at a time, and when sending stops."""
