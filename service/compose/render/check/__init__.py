"""Checks of rendered issues: what every mail must have, whatever its theme."""
