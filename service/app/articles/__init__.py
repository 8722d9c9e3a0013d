"""Use cases about one article: find it, its edits, its story, and why it is or is not in an issue."""
