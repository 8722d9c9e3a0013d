"""Cache of what was read from large config files."""
