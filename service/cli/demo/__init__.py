"""`caveat demo`: its command, its walkthrough of the four stages, and the web server of its sample."""
