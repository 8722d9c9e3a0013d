"""`caveat draft`: its commands, and what they print."""
