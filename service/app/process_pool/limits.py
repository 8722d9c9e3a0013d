"""Limits of the process pool."""

from __future__ import annotations

TASK_SECONDS = 30.0
"""How long a task may run."""
START_SECONDS = 60.0
"""How long a process may take to start; the first waits one or two seconds for the fork server's imports."""
START_ATTEMPTS = 5  # to start a process before its task fails
START_PAUSE_SECONDS = 0.1  # after the first attempt, doubled each time
END_SECONDS = 10.0
"""How long a process may take to end after SIGKILL; one that waits for a dead disk does not end."""
TASKS_PER_PROCESS = 2_000
"""Number of tasks after which a process is replaced, because the parsers' C code leaks memory."""
IDLE_SECONDS = 1_200.0
"""How long a process waits for a task before it ends, which frees 150 MB.

Longer than the usual time between two polls of a feed, because a new start takes a second of CPU time."""
MAX_PROCESS_DEATHS = 2
"""Number of processes that may end while running one task before it fails."""
MAX_PROCESSES = 8
"""Default limit: a process takes about 100 MB, and more of them would rarely be busy."""
WATCH_SECONDS = 1.0
"""Maximum time between two checks of the watchdog while there is work."""
