"""The editors' pages at /admin: server-rendered, usable without scripts, nothing loaded from elsewhere."""
