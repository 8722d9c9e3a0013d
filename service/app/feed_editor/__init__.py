"""Feeds as editors see and change them: overview, search for new ones, and every key of feeds.yaml."""
