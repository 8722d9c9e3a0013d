"""Backups: made, checked, restored and merged, on SQLite and PostgreSQL."""
