"""UI: what all commands share: help, output, context, look-ups, progress."""
