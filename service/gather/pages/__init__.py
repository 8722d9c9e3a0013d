"""Web pages of articles: find the article in a page, recognize walls, choose between feed and page."""
