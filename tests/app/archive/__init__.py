"""Tests of service/app/archive."""
