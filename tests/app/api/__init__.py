"""Tests of service/app/api."""
