"""Tests of service/deliver/channels."""
