"""The web pages of issues: pages, lists, feeds, downloads and reports."""
