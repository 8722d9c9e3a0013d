"""Tests that read like sentences; the tree mirrors service/."""
