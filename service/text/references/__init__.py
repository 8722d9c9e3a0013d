"""References: what a sentence leans on in the sentences before it."""
