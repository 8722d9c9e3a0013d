"""Overview: what goes out when, what is late and what needs a person, for the first page of the editors."""
