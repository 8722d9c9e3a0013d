"""Tests of the checks of rendered issues."""
