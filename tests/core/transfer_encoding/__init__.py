"""Tests of the transfer encodings."""
