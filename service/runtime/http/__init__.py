"""The HTTP server: listening sockets, connections, and the pages that each address serves."""
