"""Doctor: checks of an installation, each with a sentence that says what to do."""
