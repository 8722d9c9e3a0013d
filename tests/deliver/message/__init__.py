"""Tests of service/deliver/message."""
