"""Settings: what people write in config/ and the environment, read into frozen values or named faults."""
