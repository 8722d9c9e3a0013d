"""Tests of the section Settings."""
