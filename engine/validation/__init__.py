"""What the engine found, shown: problems as text, JSON, GitHub annotations and SARIF. Finds nothing by itself."""
