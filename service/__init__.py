"""Caveat: a self-hosted news digest by email that keeps the caveat with the claim."""
