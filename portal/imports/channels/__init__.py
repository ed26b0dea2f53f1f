"""Files that the channels of deliveries fetched, to be imported."""
