"""The pure heart: nouns and rules without I/O, clock or settings."""
