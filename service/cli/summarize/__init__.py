"""`caveat summarize`: its command, how it reads articles, and how it prints key points."""
