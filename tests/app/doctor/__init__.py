"""Tests of service/app/doctor."""
