"""The use cases of the HTTP API alone: its tokens, and what it reads in pages."""
