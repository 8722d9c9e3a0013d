"""Tests of service/settings/webhooks."""
