"""Settings: the YAML files of config/ and the environment variables, read into frozen values or faults."""
