"""`caveat admin`: the accounts that may open the editors' pages."""
