"""Tests of service/gather."""
