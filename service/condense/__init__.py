"""Condense: new articles become key points with the caveats that qualify them."""
