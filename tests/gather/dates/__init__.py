"""Tests of service/gather/dates."""
