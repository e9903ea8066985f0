"""Compiles a `PipelineSpec` into a `Plan`: resolves the environment and every reference, parses every condition."""
