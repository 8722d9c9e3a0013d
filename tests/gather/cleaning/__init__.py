"""Tests of service/gather/cleaning."""
