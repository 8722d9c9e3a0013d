"""Stories: articles from several feeds about one event."""
