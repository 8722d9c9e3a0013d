"""Tests of service/app/privacy."""
