"""Migrations: each file in versions/ takes the tables from one version to the next."""
