"""Factories: each stage, and the whole application, built from the settings."""
