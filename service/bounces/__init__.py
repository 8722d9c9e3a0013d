"""Bounces: mail that comes back, read, classified and acted on."""
