"""Tests of service/condense."""
