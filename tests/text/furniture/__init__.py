"""Tests of service/text/furniture."""
