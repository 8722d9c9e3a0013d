"""Message: the bytes of each mail."""
