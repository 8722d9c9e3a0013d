"""Tests of service/subscribers."""
