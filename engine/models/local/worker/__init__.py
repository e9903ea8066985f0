"""The process that owns a local model, from both ends: `supervisor` and `child` run in the parent, the rest in the
child.

Only plain JSON crosses the pipe between them, so that nothing native code does can reach the parent.
"""
