"""Tests of service/cli/demo."""
