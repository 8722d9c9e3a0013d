"""Tests of service/text/references."""
