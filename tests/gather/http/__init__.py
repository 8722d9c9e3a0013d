"""Tests of service/gather/http."""
