"""Rules over what goes to a model and what comes back: one rule a module. They know no pipeline and no vendor."""
