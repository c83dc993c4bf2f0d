// Package stage owns where the processes of a benchmark run, and what they use: a
// control group for each, started from one thread at a place of its own, and the
// kernel's counters of groups and of the machine. All of it is for a process inside a
// sandbox. Only Spawner is safe for concurrent use.
package stage
