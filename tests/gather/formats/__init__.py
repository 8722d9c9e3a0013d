"""Tests of service/gather/formats."""
