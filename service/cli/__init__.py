"""The command line: `main`, and one module or folder per command or group of commands."""
