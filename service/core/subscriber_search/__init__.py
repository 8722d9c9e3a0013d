"""The search of subscribers: what it looks in, what it asks for, and what it lists."""
