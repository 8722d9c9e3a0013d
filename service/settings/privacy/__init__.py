"""Privacy: how long data about people are kept."""
