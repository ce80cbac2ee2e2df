"""Understanding a query: its terms and times, whom it names, what it asks for, its vector."""
