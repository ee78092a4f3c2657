"""pytest plugins that run a peer's tests and write down what they assert, instead of judging it.

They run in that peer's environment and import nothing of bench. Each line of $BENCH_RECORD is one
call of an assertion helper, as JSON.
"""
