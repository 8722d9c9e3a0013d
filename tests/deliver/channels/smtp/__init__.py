"""Tests of service/deliver/channels/smtp."""
