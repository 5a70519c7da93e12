"""The published snapshot in memory, and the code that loads new snapshots."""
