"""Attacks: input that may cost more than linear time, and the budget that detects it."""
