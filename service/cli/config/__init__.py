"""`caveat config`: its commands, and what they print."""
