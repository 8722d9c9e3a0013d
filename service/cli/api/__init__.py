"""`caveat token` and `caveat webhook`: programs that use this installation."""
