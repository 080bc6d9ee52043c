"""Evidence for the rules: programs that do what a rule flags, under an oracle that sees VMs live and die."""
