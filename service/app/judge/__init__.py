"""Judge: asks a language model, or whoever answers offline, which sentences of the next issues matter."""
