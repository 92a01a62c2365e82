# The loops of a day: `just check`, `just test`, `just drill kill`, `just bench`. Each is a script that also runs alone.

# Arguments reach the scripts as they are, with their quotes.
set positional-arguments

# List the recipes
default:
    @just --list

# Format, dependencies, documents, lints
check:
    ./scripts/check

# Every test, or those that the arguments select: just test -E 'test(kill)'
test *arguments:
    ./scripts/test "$@"

# One kind of fault, for long: just drill kill --seconds 60
drill name *arguments:
    ./scripts/drill "$@"

# Throughput and latency beside the limits of this machine
bench *arguments:
    ./scripts/bench "$@"
