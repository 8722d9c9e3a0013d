"""Tests of service/web/admin/api."""
