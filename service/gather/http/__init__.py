"""HTTP: fetch documents politely and safely."""
