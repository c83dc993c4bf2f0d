// Package proc owns the real processes of a lab: starting a binary in a node's
// network namespace, learning when it is ready, keeping its log, signalling it and
// collecting its end.
//
// All children of a [Runner] are forked from one thread that lives as long as the
// Runner, and die with it: a child's parent-death signal belongs to the thread.
// They write to files, never to pipes, so that nobody waits for a grandchild that
// kept one open. Each child leads a process group of its own; when it ends, what
// it left in the group is killed.
//
// The package never decides what to run or when, never signals a process that it
// did not start, and enters network namespaces only: a new mount namespace would
// hide pins in bpffs. Runner and Process are safe for concurrent use.
package proc
