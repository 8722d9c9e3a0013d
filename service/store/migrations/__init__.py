"""Migrations: each file in versions/ takes the tables from one version to the next.

To change the tables: change schema.py, write `versions/v0002_what_changes.py` with its `upgrade()` (alembic's
`op`; `batch_alter_table`, for SQLite), and add its revision to `upgrade.KNOWN`. The tests compare what the
migrations make with schema.py, on both databases.
"""
