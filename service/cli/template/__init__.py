"""Commands about the templates of mails."""
