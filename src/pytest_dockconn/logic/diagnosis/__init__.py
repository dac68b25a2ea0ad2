"""Why did it not answer? Pure: from evidence to cause, evidence in words, and remedy."""
