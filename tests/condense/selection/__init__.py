"""Tests of service/condense/selection."""
