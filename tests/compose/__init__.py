"""Tests of service/compose."""
