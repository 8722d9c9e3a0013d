"""Tests of the newsletters that editors see and change."""
