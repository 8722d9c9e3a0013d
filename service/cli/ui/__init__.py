"""What all commands share: the command tree, help pages, output, confirmation, global options."""
