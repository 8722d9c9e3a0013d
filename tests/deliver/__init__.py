"""Tests of service/deliver."""
