"""The configuration as plan and apply: what a change would do, and doing it."""
