"""Doctor: checks of an installation, each with a sentence on what to do."""
