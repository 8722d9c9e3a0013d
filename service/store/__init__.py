"""The record of what happened: one schema on SQLite and PostgreSQL."""
