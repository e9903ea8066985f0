"""A local HTTP server before the Lambda handler, which adds only what the cloud does around a function."""
