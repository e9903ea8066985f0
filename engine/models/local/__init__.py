"""Local models: the client here, the engines in a worker process."""
