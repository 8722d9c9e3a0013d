"""Tests of service/compose/stories/merging."""
