"""YAML files: read with the position of each value, and edited without touching other lines."""
