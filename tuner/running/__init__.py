"""From a search to its last trial: data, proposals, the loop, retrainings."""
