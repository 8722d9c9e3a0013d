"""Tests of what is done with articles."""
