"""Floor 4: question sets, strategies, runs and comparisons. May use every floor below."""
