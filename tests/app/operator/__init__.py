"""Tests of service/app/operator."""
