"""Tests of service/app/webhooks."""
