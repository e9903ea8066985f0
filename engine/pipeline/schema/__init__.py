"""Checks trees of nodes against the JSON Schema of their kind of file, and makes typed specs of them.

The schemas are the single source of shape: the validator, editors and the reference are all fed from them. Nothing
here follows a reference from one place to another; that is the checks' work.
"""
