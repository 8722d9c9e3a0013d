"""Furniture: recognise the lines that a publisher adds to articles."""
