"""Tests of service/deliver/channels/apprise."""
