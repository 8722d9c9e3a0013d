"""Tests of service/gather/pages."""
