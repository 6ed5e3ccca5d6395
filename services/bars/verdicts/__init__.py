"""What months in use are worth: checked, judged again, with their gaps, and the sessions that a person took in."""
