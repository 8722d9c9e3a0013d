"""Tests of the caches of config files."""
