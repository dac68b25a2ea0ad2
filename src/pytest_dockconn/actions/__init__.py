"""Engine calls, in order."""
