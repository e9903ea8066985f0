"""All that can speak for the persona: local engines in a worker process, external providers, and a scripted one."""
