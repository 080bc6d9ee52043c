"""Evidence for the rules: small programs that do what a rule flags, run under an oracle that sees VMs live and die."""
