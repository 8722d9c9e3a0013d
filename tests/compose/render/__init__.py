"""Tests of service/compose/render."""
