"""Tests of service/deliver/limits."""
