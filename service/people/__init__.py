"""People: the roster, subscriptions, signed links and what a person chose."""
