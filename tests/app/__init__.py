"""Tests of service/app."""
