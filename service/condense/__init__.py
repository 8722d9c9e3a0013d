"""Condense: new articles become key points with the caveats that qualify them."""

import os

# An article's arrays are small: more threads of numpy's BLAS mostly wait for one another and take more than
# twice the CPU time for a long article. numpy reads the variable at its first import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
