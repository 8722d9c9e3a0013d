"""Operator: what is wrong, for the doctor, the editors' pages and the operator's mail."""
