"""One offline page of it all: what is there, what repeats, what contradicts, what became of it."""
