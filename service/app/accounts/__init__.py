"""Accounts: who may open the editors' pages, how they log in, and what they did."""
