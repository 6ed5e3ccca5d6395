"""Other people's backtesters, taught Gantry's costs, to be compared with: the same trades, and how long they take."""
