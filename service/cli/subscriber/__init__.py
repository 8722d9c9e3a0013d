"""`caveat subscriber`: its commands, the import of a file, and suppressed addresses."""
