"""Tests of service/app/factories."""
