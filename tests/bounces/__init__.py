"""Tests of service/bounces."""
