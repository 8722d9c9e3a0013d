"""Tests of service/compose/stories."""
