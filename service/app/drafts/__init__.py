"""Drafts: issues that wait for an editor."""
