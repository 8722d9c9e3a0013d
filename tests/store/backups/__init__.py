"""Tests of service/store/backups."""
