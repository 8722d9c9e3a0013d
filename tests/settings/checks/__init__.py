"""Tests of the checks of settings."""
