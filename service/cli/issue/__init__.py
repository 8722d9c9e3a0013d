"""`caveat issue`: its commands, and what they print."""
