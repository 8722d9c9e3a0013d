"""Tests of service/wiring."""
