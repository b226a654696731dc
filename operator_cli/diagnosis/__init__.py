"""Why a deployed function's calls to AWS fail: facts that AWS tells, what the rules make of them, and the causes in order."""
