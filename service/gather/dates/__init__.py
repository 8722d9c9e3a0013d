"""Dates of entries, as feeds write them."""
