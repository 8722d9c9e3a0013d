"""Subscribers as editors see and change them: search, one person, and the import of a file."""
