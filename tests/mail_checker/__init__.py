"""The project's own mail checker: finished messages, as receivers get them, against the rules for each."""
