"""The command line door: one module a group of commands."""
