"""End to end: real HTTP, real SMTP, a real database; nothing is faked but the clock."""
