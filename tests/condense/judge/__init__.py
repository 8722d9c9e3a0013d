"""Tests of service/condense/judge."""
