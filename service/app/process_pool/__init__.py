"""Process pool: CPU-heavy work in other processes, with a deadline for each task."""
