"""Selection: which sentences of an article are shown, in which form, and in which order."""
