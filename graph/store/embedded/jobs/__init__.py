"""Jobs: made for messages that wait, leased, handed back, watched."""
