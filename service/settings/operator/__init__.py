"""Operator: the addresses that are told when something is wrong."""
