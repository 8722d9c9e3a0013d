"""Drafts: issues that wait for an editor before they are sent."""
