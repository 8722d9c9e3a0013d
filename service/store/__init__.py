"""The store: the record of what happened, on SQLite or PostgreSQL."""
