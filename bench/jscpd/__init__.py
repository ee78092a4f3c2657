"""unwet dups beside jscpd, a clone detector that compares tokens: time, and what is found."""
