"""Tests of service/cli/ui."""
