"""Tests of the section Newsletters."""
