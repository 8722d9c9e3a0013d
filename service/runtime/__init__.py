"""Runtime: the processes that run the use cases: service, scheduler, job queue, servers, logging."""
