"""What ProjectAdmins do with a project: members, settings, exports."""
