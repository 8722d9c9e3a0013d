"""Scoring: the parts of a story's score, read from its articles, its publishers and its place in feeds."""
