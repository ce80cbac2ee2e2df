"""Between the contract and the domain: one small converter a resource, both ways. What comes in is checked on the way."""
