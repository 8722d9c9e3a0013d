"""Tests of service/web/archive."""
