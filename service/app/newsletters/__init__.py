"""Newsletters for the editors: their numbers, their fields, and changes of newsletters.yaml."""
