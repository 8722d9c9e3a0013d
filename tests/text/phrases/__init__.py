"""Tests of service/text/phrases."""
