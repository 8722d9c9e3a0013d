"""Tests of service/app/process_pool."""
