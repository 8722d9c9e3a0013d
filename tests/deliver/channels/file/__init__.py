"""Tests of service/deliver/channels/file."""
