"""Input that costs a reader more than time in proportion to its length, and the budget that finds it out."""
