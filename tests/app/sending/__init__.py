"""Tests of service/app/sending."""
