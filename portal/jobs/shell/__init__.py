"""What commands of areas that ask for jobs share."""
