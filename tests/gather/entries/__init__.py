"""Tests of service/gather/entries."""
