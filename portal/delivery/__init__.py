"""Delivery: spools to and from FTP, FTPS and SFTP servers; no file lost, none sent twice."""
