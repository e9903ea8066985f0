"""The shape of each kind of file, as JSON Schema, and the way from a tree of nodes to the typed spec.

The schemas are the single source of shape: the validator, editors and the reference are all fed from them. Nothing
here follows a reference from one place to another; that is the checks' work.
"""
