"""Gather: due feeds become new articles."""
