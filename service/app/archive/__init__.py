"""The archive: issues as web pages, feeds and files, and what their readers report."""
