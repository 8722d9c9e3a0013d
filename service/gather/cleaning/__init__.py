"""Cleaning: untrusted markup and plain text become safe text with its blocks."""
