"""Tests of service/text."""
